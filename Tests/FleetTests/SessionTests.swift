internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import People

/// Sessions as the API makes and ends them, in its own role.
@Suite struct SessionTests {
    /// Two accounts with an administrator each, whose passwords cost a test no more than it can bear; a connection as the owner and one as the API.
    private final class Scene {
        var owner: Connection
        var api: Connection
        private let place: TestDatabase

        init() async throws {
            place = try await TestServers.shared.migratedDatabase()
            owner = try Connection(ConnectionOptions(url: place.url))
            api = try Connection(ConnectionOptions(url: place.apiURL))
            let hash = try PasswordHash(of: "correct horse", cost: .init(logRounds: 4, blockSize: 8, parallelism: 1))
            try owner.run(
                script: """
                    insert into tenantry.accounts (slug, display_name, plan) values ('acme', 'A', 'pro'), ('other', 'O', 'pro');
                    insert into tenantry.administrators (account, email, display_name, role, password_hash) values
                        ('acme', 'ada@x.ch', 'Ada', 'account_admin', '\(hash)'), ('other', 'eve@x.ch', 'Eve', 'account_admin', '\(hash)');
                    insert into tenantry.credentials (key, role, account, name, secret_hash) values ('acc_1', 'account', 'acme', 'acme', '');
                    """)
        }

        func signIn(_ email: String, _ password: String, from address: String = "192.0.2.1") throws -> SignIn.Session {
            try SignIn.run(email: email, password: password, account: nil, tenant: nil, from: address, on: &api)
        }

        func end(_ key: String, by sender: String) throws -> Bool { try SignIn.end(key, by: sender, on: &api) }

        func number(_ sql: String) throws -> Int64 { try owner.query(Statement(sql)).only(Int64.self) }

        func texts(_ sql: String) throws -> [String] { try owner.query(Statement(sql)).decode(String.self) }
    }

    @Test(
        "A session is made and ended, each with its entry in the audit log, by whose it is or by its account, and by nobody else")
    func sessions() async throws {
        let scene = try await Scene()
        let before = try scene.number("select version from tenantry.directory")
        let ada = try scene.signIn("Ada@x.ch", "correct horse")
        let eve = try scene.signIn("eve@x.ch", "correct horse")
        #expect(ada.token == "\(ada.key).\(ada.secret)")
        #expect(try !scene.end(ada.key, by: eve.key), "another account's")
        #expect(try !scene.end(ada.key, by: "nobody"))
        #expect(try !scene.end("acc_1", by: ada.key), "no session")
        #expect(try scene.end(ada.key, by: "acc_1"))
        #expect(try !scene.end(ada.key, by: "acc_1"), "it has ended")
        #expect(try scene.end(eve.key, by: eve.key))
        #expect(
            try scene.texts("select kind || ' ' || account || ' ' || actor from tenantry.audit_log order by id")
                == [
                    "admin.sign_in acme ada@x.ch", "admin.sign_in other eve@x.ch", "admin.sign_out acme acme",
                    "admin.sign_out other eve@x.ch",
                ])
        #expect(try scene.number("select version from tenantry.directory") == before + 2, "lanes ask anew")
        // What has expired goes with the next sign-in.
        try scene.owner.run(
            script: "update tenantry.credentials set expires_at = now() - interval '1 second' where key = '\(ada.key)'")
        _ = try scene.signIn("ada@x.ch", "correct horse")
        #expect(try scene.number("select count(*) from tenantry.credentials where key = '\(ada.key)'") == 0)
        // Not for a password that was another one meanwhile, nor for long, nor under a key of another kind.
        for arguments in [
            "a.id, 'another', 'adm_123456789012', sha256('a'), now() + interval '1 hour'",
            "a.id, a.password_hash, 'adm_123456789012', sha256('a'), now() + interval '2 days'",
            "a.id, a.password_hash, 'adm_123456789012', sha256('a'), 'infinity'",
            "a.id, a.password_hash, 'op_123456789012', sha256('a'), now() + interval '1 hour'",
            "a.id, a.password_hash, 'adm_123456789012', '', now() + interval '1 hour'",
        ] {
            let call = Statement(
                "select count(*) from tenantry.administrators a where a.email = 'ada@x.ch' and tenantry.sign_in(\(arguments))")
            let made = (try? scene.api.query(call).only(Int64.self)) ?? 0
            #expect(made == 0, "\(arguments)")
        }
    }

    @Test(
        "After ten wrong passwords for an address none is looked at, there or not; after a hundred from a place, none from there")
    func throttle() async throws {
        let scene = try await Scene()
        func outcome(_ email: String, _ password: String, from address: String = "192.0.2.1") throws -> String {
            do {
                _ = try scene.signIn(email, password, from: address)
                return "in"
            } catch SignIn.Refusal.wrong {
                return "wrong"
            } catch SignIn.Refusal.throttled(let seconds) {
                #expect((890...900).contains(seconds))
                return "throttled"
            }
        }
        #expect(try outcome("ada@x.ch", "correct horse") == "in")
        for _ in 0..<10 { #expect(try outcome("ada@x.ch", "no") == "wrong") }
        #expect(try outcome("ADA@x.ch", "no", from: "192.0.2.2") == "throttled")
        #expect(try outcome("ada@x.ch", "correct horse", from: "192.0.2.2") == "throttled")
        #expect(try outcome("eve@x.ch", "correct horse") == "in", "others are let in from the same place")
        #expect(try scene.number("select count(*) from tenantry.sign_in_failures") == 20, "a right one leaves none")
        #expect(
            try scene.number("select count(*) from tenantry.sign_in_failures where subject like '%ada%'") == 0)
        // One that is not there, without ten real hashes.
        try scene.owner.run(
            script: """
                insert into tenantry.sign_in_failures (subject) select 'email:' || encode(sha256('nobody@x.ch'), 'hex') from generate_series(1, 10);
                insert into tenantry.sign_in_failures (subject) select 'address:192.0.2.9' from generate_series(1, 100);
                """)
        #expect(try outcome("nobody@x.ch", "no", from: "192.0.2.3") == "throttled")
        #expect(try outcome("eve@x.ch", "correct horse", from: "192.0.2.9") == "throttled")
        try scene.owner.run(script: "update tenantry.sign_in_failures set at = at - interval '15 minutes'")
        #expect(try outcome("ada@x.ch", "correct horse", from: "192.0.2.9") == "in")
    }

    @Test("The API takes letters off the lists for an operator, and for nobody else")
    func letters() async throws {
        let scene = try await Scene()
        let id = "0b0e1f6a-0000-4000-8000-000000000001"
        try scene.owner.run(
            script: """
                insert into tenantry.dead_letters (id, job_id, kind, account, key, code, message, attempts, failed_at, body_bytes, is_sealed, redacted)
                values ('\(id)', 'j', 'tenant.create', 'acme', 'acc_1', 'invalid_payload', 'm', 1, now(), 2, true, '')
                """)
        for key in ["acc_1", "nobody"] {
            #expect(throws: PostgresError.self) { try DeadLetterRecord.forget([id], as: key, on: &scene.api) }
        }
        #expect(throws: PostgresError.self) { _ = try scene.api.query("delete from tenantry.dead_letters") }
        #expect(try scene.texts("select job_id from tenantry.dead_letters") == ["j"])
        let operators = TestDatabase.operatorToken.split(separator: ".")[0]
        try DeadLetterRecord.forget([id, "0b0e1f6a-0000-4000-8000-000000000002"], as: String(operators), on: &scene.api)
        #expect(try scene.texts("select job_id from tenantry.dead_letters").isEmpty)
    }

    @Test("The last use is noted to the minute; a request is on record under what its credential says")
    func records() async throws {
        let scene = try await Scene()
        for _ in 0..<2 { try CredentialUses().note(["acc_1", "nobody"], on: &scene.api) }
        #expect(
            try scene.texts("select key from tenantry.credential_uses where last_used_at = date_trunc('minute', last_used_at)")
                == ["acc_1"])
        try scene.owner.run(
            script: """
                insert into tenantry.tenants (slug, account, schema_name, display_name)
                values ('shop', 'acme', 'tenant_shop', 'S'), ('bar', 'other', 'tenant_bar', 'B')
                """)
        try AccessRecord.write(.search, of: "shop", by: .credential("acc_1"), details: ["query": "x"], on: &scene.api)
        #expect(
            try scene.texts("select concat_ws(' ', account, tenant, credential, role, actor, kind) from tenantry.audit_log") == [
                "acme shop acc_1 account acme corpus.search"
            ])
        for (key, tenant) in [("acc_1", "bar"), ("nobody", nil)] {
            #expect(throws: PostgresError.self) {
                try AccessRecord.write(.search, of: tenant, by: .credential(key), on: &scene.api)
            }
        }
    }
}
