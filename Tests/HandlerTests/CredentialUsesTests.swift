internal import Testing

@testable internal import Jobs

/// When uses of credentials are due to be written.
@Suite struct CredentialUsesTests {
    @Test func `Each is written once a minute, in order, and after a pause; what could not be written is due again`() {
        let uses = CredentialUses(pauseSeconds: 2)
        #expect(uses.take(["b", "a", "b"], minute: 1, now: 10) == ["a", "b"])
        #expect(uses.take(["a", "c"], minute: 1, now: 11) == [], "it has written a second ago")
        #expect(uses.take(["a"], minute: 1, now: 12) == ["c"])
        #expect(uses.take(["a"], minute: 2, now: 20) == ["a"])
        uses.putBack(["a"], now: 20)
        #expect(uses.take(["b"], minute: 2, now: 24) == [])
        #expect(uses.take([String](), minute: 2, now: 25) == ["a", "b"])
    }
}
