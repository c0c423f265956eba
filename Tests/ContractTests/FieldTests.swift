import Testing

@testable internal import Contract

/// One description of a field gives decoding, checks, writing and the schema: for every kind the four say the same.
@Suite struct FieldTests {
    @Test(arguments: Kind.all)
    func `A payload is read as it was written, and its schema takes it`(kind: Kind) throws {
        let type = try #require(Kind.payloads.first { $0.kind == kind })
        for example in try #require(try PayloadExampleTests.examples()[kind.name]).taken {
            try expectReadAsWritten(type, example.serialised())
            #expect(try SchemaValidator.takes(example, type.schema), "\(example)")
        }
    }

    private func expectReadAsWritten<Payload: JobPayload>(_ type: Payload.Type, _ body: [UInt8]) throws {
        let payload = try PayloadDecoder.decode(type, from: body)
        let written = payload.encoded()
        #expect(isEqual(try PayloadDecoder.decode(type, from: written), payload))
        #expect(try SchemaValidator.takes(JSONValue(parsing: written), type.schema))
    }

    private func isEqual(_ left: some Any, _ right: some Any) -> Bool {
        func compare<Value: Equatable>(_ left: Value) -> Bool { left == right as? Value }
        guard let left = left as? any Equatable else { return false }
        return compare(left)
    }

    @Test(arguments: Kind.all)
    func `Every stored property is described by one field`(kind: Kind) throws {
        func check<Payload: JobPayload>(_ type: Payload.Type) {
            #expect(Mirror(reflecting: type.fields.blank).children.count == type.fields.names.count, "\(type)")
            #expect(Set(type.fields.names).count == type.fields.names.count)
        }
        let type = try #require(Kind.payloads.first { $0.kind == kind })
        check(type)
    }

    /// What JSON Schema cannot say or says less of, by the field that is to blame: media types, base64 and language tags, a second name of the
    /// same account, documents that come twice.
    private static let rulesAlone: Set<String> = ["media_type", "content_base64", "language", "slug", "external_id", "sent_at"]

    private static let replacements: [JSONValue] = [
        .null, true, -1, 0, 1, 12, 1.5, 4_000_000_000, 5_000_000_000_000, "", "xy", "X Y", "a@b", "2026-11",
        "2026-11-23T01:00:00Z", [], [:],
        [.null], ["xy"], [[:]], ["a": 1], ["messages": .null], .string(String(repeating: "é", count: 5_000)),
    ]

    /// Each value of each example in turn is taken away, or gives way to values of every type.
    @Test(arguments: Kind.all)
    func `What the schema refuses is refused, and what it takes is taken but for rules that it cannot say`(kind: Kind) throws {
        let type = try #require(Kind.payloads.first { $0.kind == kind })
        var taken = 0
        var refused = 0
        for example in try #require(try PayloadExampleTests.examples()[kind.name]).taken {
            for mutant in Self.mutants(of: example) {
                let verdict = verdict(type, mutant.serialised())
                let isTaken = try SchemaValidator.takes(mutant, type.schema)
                let field = verdict.map { $0.split(separator: "/").last.map(String.init) ?? "" }
                let isAgreed = isTaken == (verdict == nil) || isTaken && Self.rulesAlone.contains(field ?? "")
                #expect(isAgreed, "\(verdict ?? "taken"): \(String(decoding: mutant.serialised(), as: UTF8.self).prefix(300))")
                if isTaken { taken += 1 } else { refused += 1 }
            }
        }
        #expect(taken > 0 && refused > 0)
    }

    private static func mutants(of value: JSONValue) -> [JSONValue] {
        var mutants = replacements
        switch value {
        case .object(let members):
            for name in members.keys.sorted() {
                var mutant = members
                for replacement in self.mutants(of: members[name] ?? .null) {
                    mutant[name] = replacement
                    mutants.append(.object(mutant))
                }
                mutant[name] = nil
                mutants.append(.object(mutant))
            }
        case .array(var elements):
            for (index, element) in elements.enumerated().prefix(3) {
                for replacement in self.mutants(of: element) {
                    elements[index] = replacement
                    mutants.append(.array(elements))
                }
                elements[index] = element
            }
        default: break
        }
        return mutants
    }
}
