internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// Whoever issues a token hands on only what he has.
@Suite struct TokenScopeTests {
    @Test(arguments: Scope.allCases)
    func `A token hands on its own scopes, and no other; writing does not include reading`(own: Scope) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            func issue(_ scopes: [Scope], by issuer: Principal) throws -> Answer {
                let names = scopes.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
                return try stage.ask("token.issue", #"{"name":"t","scopes":[\#(names)]}"#, tenant: "shop", by: issuer)
            }
            // An account has all of them.
            #expect(try issue(Scope.allCases, by: acme).status == .succeeded)
            guard case .string(let key)? = try issue([own], by: acme).result?["key"] else { throw TestFailure("no key") }
            let token = Principal(key: key, role: .token, account: "acme", tenant: "shop", scopes: [own])
            #expect(try issue([own], by: token).status == .succeeded)
            for other in Scope.allCases where other != own {
                let error = try issue([own, other], by: token).error
                #expect(error?.code == .forbidden && error?.field == "/scopes", "\(other)")
                #expect(error?.message.contains("has no \(other.rawValue)") == true)
            }
        }
    }
}
