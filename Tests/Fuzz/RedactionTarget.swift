@testable internal import Contract

extension FuzzTarget {
    /// What is taken out of a body before it is kept: no secret stays where the body can be read, and what is left can be read as well.
    static let redaction = FuzzTarget("redaction") { input in
        input.withUnsafeBytes { Redaction.remainder(of: $0)?.body.count ?? 0 }
    } check: { input in
        input.withUnsafeBytes { body in
            let before = try? JSONValue(parsing: Array(body))
            guard let remainder = Redaction.remainder(of: body) else {
                expect(!holdsSecret(before), "a secret is left in")
                return
            }
            expect(remainder.body.count < body.count, "nothing was taken out")
            guard remainder.pointers != [""] else {
                return expect(remainder.body.isEmpty, "something was left of what cannot be read")
            }
            guard let after = try? JSONValue(parsing: remainder.body) else {
                return expect(before == nil, "what is left is no JSON")
            }
            expect(!holdsSecret(after), "a secret is left in")
            checkRestoring(remainder.body)
        }
    }

    private static func checkRestoring(_ rest: [UInt8]) {
        let again = rest.withUnsafeBytes { Redaction.restored($0, ["password": "p\"\\\u{0}"]) }.flatMap { whole in
            whole.withUnsafeBytes { Redaction.remainder(of: $0) }
        }
        expect(again?.body == rest, "what was put back is taken out as something else")
    }

    private static func holdsSecret(_ value: JSONValue?) -> Bool {
        guard case .object(let members)? = value else { return false }
        return members.keys.contains { $0.lowercased() == "password" }
    }
}
