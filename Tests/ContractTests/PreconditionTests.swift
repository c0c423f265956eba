import Testing

@testable internal import Contract

@Suite struct PreconditionTests {
    @Test(
        arguments: [
            ("*", .exists), (" * ", .exists), (#""a""#, .oneOf(["a"])), (#""a", "b""#, .oneOf(["a", "b"])),
            (#"W/"a""#, .oneOf([])), (#"W/"a" ,"b,c""#, .oneOf(["b,c"])), (#",, "a" ,"#, .oneOf(["a"])), (#""""#, .oneOf([""])),
            ("", nil), (",", nil), ("a", nil), (#""a"#, nil), (#""a" "b""#, nil), (#"*, "a""#, nil), (#""a b""#, nil),
            (#"w/"a""#, nil),
        ] as [(String, Precondition?)])
    func `A header if-match is read as RFC 9110 has it`(text: String, expected: Precondition?) {
        #expect(Precondition(text) == expected)
    }

    @Test func `It holds for one of its tags, or for whatever is there`() {
        #expect(Precondition.exists.holds(for: ["a"]) && !Precondition.exists.holds(for: []))
        #expect(Precondition.oneOf(["a", "b"]).holds(for: ["c", "b"]))
        #expect(!Precondition.oneOf(["a"]).holds(for: ["b"]) && !Precondition.oneOf([]).holds(for: ["a"]))
    }
}
