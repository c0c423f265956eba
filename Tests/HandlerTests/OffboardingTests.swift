internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// What a person issued ends with the person.
@Suite struct OffboardingTests {
    /// Ada, whom the account made, with a token of hers; Bob, whom she made, with a token of his that issued another; and a token of the account.
    private struct Scene {
        let acme: Principal
        let keys: [String: String]

        init(_ stage: HandlerStage) throws {
            acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            func key(_ answer: Answer) throws -> String {
                guard case .string(let key)? = answer.result?["key"] else { throw TestFailure("\(answer)") }
                return key
            }
            func person(_ email: String, by maker: Principal) throws -> Principal {
                let body = #"{"email":"\#(email)","display_name":"x","role":"account_admin"}"#
                let key = try key(stage.ask("admin.create", body, by: maker))
                return Principal(key: key, role: .accountAdmin, name: email, account: "acme", tenant: nil, scopes: [])
            }
            func token(_ name: String, by issuer: Principal) throws -> Principal {
                let body = #"{"name":"\#(name)","scopes":["corpus:write"]}"#
                let key = try key(stage.ask("token.issue", body, tenant: "shop", by: issuer))
                return Principal(key: key, role: .token, name: name, account: "acme", tenant: "shop", scopes: [.corpusWrite])
            }
            let ada = try person("ada@x.ch", by: acme)
            let bob = try person("bob@x.ch", by: ada)
            let eve = try person("eve@x.ch", by: acme)
            let ofBob = try token("of bob", by: bob)
            keys = [
                "ada": ada.key, "bob": bob.key, "eve": eve.key, "of ada": try token("of ada", by: ada).key, "of bob": ofBob.key,
                "of his": try token("of his", by: ofBob).key, "of eve": try token("of eve", by: eve).key,
                "of acme": try token("of acme", by: acme).key,
            ]
        }

        func valid(_ stage: HandlerStage) throws -> Set<String> {
            let valid = Set(try stage.texts("select key from tenantry.credentials where revoked_at is null"))
            return Set(keys.filter { valid.contains($0.value) }.keys)
        }
    }

    @Test("With a person end the tokens and administrators that the person made, and what these issued; the answer lists them")
    func end() async throws {
        try await HandlerStage.run { stage in
            let scene = try Scene(stage)
            let answer = try stage.ask("admin.remove", #"{"email":"ada@x.ch"}"#, by: scene.acme)
            #expect(answer.status == .succeeded, "\(answer)")
            #expect(try scene.valid(stage) == ["eve", "of eve", "of acme"])
            let revoked = JSONValue.array(
                ["of ada", "of bob", "of his"].compactMap { scene.keys[$0] }.sorted().map { .string($0) })
            guard case .array(let listed)? = answer.result?["revoked"] else { throw TestFailure("\(answer)") }
            #expect(JSONValue.array(listed.sorted { "\($0)" < "\($1)" }) == revoked)
            #expect(answer.result?["revoked_count"] == 3 && answer.result?["removed_count"] == 1)
            #expect(answer.result?["removed"] == [["email": "bob@x.ch", "role": "account_admin", "tenant": .null]])
            #expect(try stage.texts("select email from tenantry.administrators") == ["eve@x.ch"])
        }
    }

    @Test("keep_issued keeps all of it but the person")
    func keep() async throws {
        try await HandlerStage.run { stage in
            let scene = try Scene(stage)
            let answer = try stage.ask("admin.remove", #"{"email":"ada@x.ch","keep_issued":true}"#, by: scene.acme)
            #expect(answer.result?["revoked"] == [] && answer.result?["removed"] == [], "\(answer)")
            #expect(try scene.valid(stage) == Set(scene.keys.keys).subtracting(["ada"]))
        }
    }

    @Test(
        "Nobody removes those by whom he was made, nor goes and leaves something of his; what is kept ends with the next one up")
    func laundering() async throws {
        try await HandlerStage.run { stage in
            let scene = try Scene(stage)
            func person(_ name: String) -> Principal {
                Principal(
                    key: scene.keys[name] ?? "", role: .accountAdmin, name: "\(name)@x.ch", account: "acme", tenant: nil,
                    scopes: [])
            }
            for more in ["", #","keep_issued":true"#] {
                let upwards = try stage.ask("admin.remove", #"{"email":"ada@x.ch"\#(more)}"#, by: person("bob"))
                #expect(upwards.error?.code == .forbidden && upwards.error?.field == "/email", "\(upwards)")
            }
            let leaving = try stage.ask("admin.remove", #"{"email":"ada@x.ch","keep_issued":true}"#, by: person("ada"))
            #expect(leaving.error?.code == .forbidden && leaving.error?.field == "/keep_issued", "\(leaving)")
            // Bob goes and his token stays; with Ada, who made him, it ends.
            let kept = try stage.ask("admin.remove", #"{"email":"bob@x.ch","keep_issued":true}"#, by: person("ada"))
            #expect(kept.status == .succeeded, "\(kept)")
            #expect(try scene.valid(stage).isSuperset(of: ["of bob", "of his"]))
            #expect(try stage.ask("admin.remove", #"{"email":"ada@x.ch"}"#, by: person("ada")).status == .succeeded)
            #expect(try scene.valid(stage) == ["eve", "of eve", "of acme"])
        }
    }

    @Test("Whoever was removed makes nobody and issues nothing any more, also by a job that was taken before")
    func late() async throws {
        try await HandlerStage.run { stage in
            let scene = try Scene(stage)
            let bob = Principal(
                key: scene.keys["bob"] ?? "", role: .accountAdmin, name: "bob@x.ch", account: "acme", tenant: nil, scopes: [])
            _ = try stage.ask("admin.remove", #"{"email":"ada@x.ch"}"#, by: scene.acme)
            let token = try stage.ask("token.issue", #"{"name":"late","scopes":["corpus:write"]}"#, tenant: "shop", by: bob)
            #expect(token.error?.code == .unauthenticated)
            let person = #"{"email":"mallory@x.ch","display_name":"M","role":"account_admin"}"#
            #expect(try stage.ask("admin.create", person, by: bob).error?.code == .unauthenticated)
        }
    }
}
