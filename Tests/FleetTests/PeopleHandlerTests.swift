internal import Contract
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import People

/// `admin.create` and `admin.remove`, and what administrators may do.
@Suite(.serialized) struct PeopleHandlerTests {
    /// Two tenants of `acme` and a stranger's.
    private func scene() async throws -> (fleet: TestFleet, acme: String, stranger: String) {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        for (slug, token) in [("shop", acme), ("blog", acme), ("foreign", stranger)] { try fleet.makeTenant(slug, token: token) }
        return (fleet, acme, stranger)
    }

    private func admin(_ email: String, _ role: String, password: String? = nil) -> String {
        let more = password.map { #","password":"\#($0)""# } ?? ""
        return #"{"email":"\#(email)","display_name":"Somebody","role":"\#(role)"\#(more)}"#
    }

    private func bearer(_ answer: Answer) throws -> String {
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("no credential: \(answer)")
        }
        return "\(key).\(secret)"
    }

    @Test("An administrator is made in lower case, once in a place, with a credential that works there")
    func made() async throws {
        let (fleet, acme, stranger) = try await scene()
        let body = admin("Ada@Example.COM", "account_admin", password: "correct horse")
        let first = try fleet.ask("admin.create", body, token: acme)
        #expect(first.result?["email"] == "ada@example.com" && first.result?["role"] == "account_admin", "\(first)")
        let ada = try bearer(first)
        #expect(ada.hasPrefix("adm_"))
        #expect(
            try fleet.texts("select email || role || coalesce(tenant, '-') from tenantry.administrators") == [
                "ada@example.comaccount_admin-"
            ])
        #expect(try fleet.number("select count(*) from tenantry.administrators where password_hash like 'scrypt$15$8$3$%'") == 1)
        #expect(try fleet.texts("select name from tenantry.credentials where administrator is not null") == ["ada@example.com"])

        let again = try fleet.ask("admin.create", admin("ada@EXAMPLE.com", "account_admin"), token: acme)
        #expect(again.error?.code == .conflict && again.error?.field == "/email", "\(again)")
        // The same person elsewhere: in a tenant, in its sibling, in another account.
        let shop = try bearer(fleet.ask("admin.create", admin("ada@example.com", "tenant_admin"), tenant: "shop", token: ada))
        _ = try bearer(fleet.ask("admin.create", admin("ada@example.com", "tenant_admin"), tenant: "blog", token: acme))
        _ = try bearer(fleet.ask("admin.create", admin("ada@example.com", "account_admin"), token: stranger))

        #expect(try fleet.ask("tenant.create", #"{"slug":"third","display_name":"t"}"#, token: ada).status == .succeeded)
        let document = #"{"documents":[{"external_id":"d","title":"t","media_type":"text/plain","content":"words"}]}"#
        #expect(try fleet.ask("corpus.ingest", document, tenant: "shop", token: shop).status == .succeeded)
        #expect(try fleet.ask("corpus.ingest", document, tenant: "blog", token: shop).error?.code == .forbidden)
        #expect(try fleet.ask("corpus.ingest", document, tenant: "foreign", token: ada).error?.code == .forbidden)
        let token = try fleet.makeToken(["corpus:write"], tenant: nil, token: shop)
        #expect(try fleet.ask("corpus.ingest", document, tenant: "shop", token: token).status == .succeeded)
        #expect(try fleet.ask("corpus.ingest", document, tenant: "blog", token: token).error?.code == .forbidden)
        await fleet.stop()
    }

    @Test("Who may make and remove whom, with the place that is to blame")
    func rules() async throws {
        let (fleet, acme, stranger) = try await scene()
        let boss = try bearer(fleet.ask("admin.create", admin("boss@x.ch", "account_admin"), token: acme))
        let local = try bearer(fleet.ask("admin.create", admin("local@x.ch", "tenant_admin"), tenant: "shop", token: acme))
        let calls: [(kind: String, body: String, tenant: String?, token: String, expected: String)] = [
            ("admin.create", admin("a@x.ch", "account_admin"), "shop", acme, "invalid_payload /role"),
            ("admin.create", admin("a@x.ch", "tenant_admin"), nil, boss, "invalid_payload /role"),
            ("admin.create", admin("a@x.ch", "account_admin"), nil, local, "forbidden /role"),
            ("admin.create", admin("a@x.ch", "account_admin"), "shop", local, "forbidden /role"),
            ("admin.create", admin("a@x.ch", "tenant_admin"), "blog", local, "forbidden -"),
            ("admin.create", admin("a@x.ch", "tenant_admin"), "foreign", acme, "forbidden -"),
            ("admin.create", admin("a@x.ch", "owner"), nil, acme, "invalid_payload /role"),
            ("admin.create", admin("nobody", "account_admin"), nil, acme, "invalid_payload /email"),
            ("admin.create", admin("a@x.ch", "account_admin", password: "short"), nil, acme, "invalid_payload /password"),
            // Its own tenant, with the header and without.
            ("admin.create", admin("one@x.ch", "tenant_admin"), "shop", local, "succeeded"),
            ("admin.create", admin("two@x.ch", "tenant_admin"), nil, local, "succeeded"),
            ("admin.remove", #"{"email":"boss@x.ch"}"#, nil, local, "invalid_payload /email"),
            ("admin.remove", #"{"email":"boss@x.ch"}"#, "shop", acme, "invalid_payload /email"),
            ("admin.remove", #"{"email":"one@x.ch"}"#, nil, acme, "invalid_payload /email"),
            ("admin.remove", #"{"email":"one@x.ch"}"#, "blog", acme, "invalid_payload /email"),
            ("admin.remove", #"{"email":"boss@x.ch"}"#, nil, stranger, "invalid_payload /email"),
            ("admin.remove", #"{"email":"ONE@x.ch"}"#, "shop", boss, "succeeded"),
            ("admin.remove", #"{"email":"two@x.ch"}"#, nil, local, "succeeded"),
            ("admin.remove", #"{"email":"two@x.ch"}"#, nil, local, "invalid_payload /email"),
        ]
        for call in calls {
            let answer = try fleet.ask(call.kind, call.body, tenant: call.tenant, token: call.token)
            let became = answer.error.map { "\($0.code.rawValue) \($0.field ?? "-")" } ?? "succeeded"
            #expect(became == call.expected, "\(call.kind) \(call.body) \(call.tenant ?? "-"): \(answer)")
        }
        #expect(
            try fleet.texts("select email || ' ' || coalesce(tenant, '-') from tenantry.administrators order by 1")
                == ["boss@x.ch -", "local@x.ch shop"])
        await fleet.stop()
    }

    @Test("A removed administrator's credentials stop working, those of a sign-in, too")
    func removed() async throws {
        let (fleet, acme, _) = try await scene()
        let body = admin("ada@x.ch", "account_admin", password: "correct horse")
        let made = try bearer(fleet.ask("admin.create", body, token: acme))
        let signedIn = try SignIn.run(
            email: "ADA@x.ch", password: "correct horse", account: nil, tenant: nil, on: &fleet.database
        ).token
        for token in [made, signedIn] { #expect(try fleet.ask("usage.aggregate", "{}", token: token).status == .succeeded) }
        let removed = try fleet.ask("admin.remove", #"{"email":"ada@x.ch"}"#, token: acme)
        #expect(removed.result?["email"] == "ada@x.ch" && removed.result?["role"] == "account_admin")
        for token in [made, signedIn] {
            #expect(try fleet.ask("usage.aggregate", "{}", token: token).error?.code == .unauthenticated)
        }
        #expect(try fleet.number("select count(*) from tenantry.administrators") == 0)
        // The place is free again.
        _ = try bearer(fleet.ask("admin.create", body, token: acme))
        await fleet.stop()
    }

    @Test("Signing in takes the right password of one administrator, and tells the others nothing apart")
    func signIn() async throws {
        let (fleet, acme, _) = try await scene()
        _ = try fleet.ask("admin.create", admin("ada@x.ch", "account_admin"), token: acme)
        _ = try fleet.ask("admin.create", admin("bob@x.ch", "account_admin"), token: acme)
        for tenant in ["shop", "blog"] {
            _ = try fleet.ask("admin.create", admin("ada@x.ch", "tenant_admin"), tenant: tenant, token: acme)
        }
        // Hashed as any other, at a cost that a test can bear.
        for (place, password) in [("-", "correct horse"), ("shop", "another horse"), ("blog", "correct horse")] {
            let kept = try PasswordHash(of: password, cost: .init(logRounds: 4, blockSize: 8, parallelism: 1))
            try fleet.database.run(
                script: """
                    update tenantry.administrators set password_hash = '\(kept)' where email like 'ada%' and coalesce(tenant, '-') = '\(place)'
                    """)
        }
        func signIn(_ email: String, _ password: String, account: String? = nil, tenant: String? = nil) throws -> String {
            do {
                let key = try SignIn.run(
                    email: email, password: password, account: account, tenant: tenant, on: &fleet.database
                ).key
                return try fleet.texts(
                    """
                    select role || ' ' || coalesce(tenant, '-') from tenantry.credentials
                    where key = '\(key)' and expires_at between now() + interval '11 hours 59 minutes' and now() + interval '12 hours 1 minute'
                    """
                ).first ?? "no such credential"
            } catch let refusal as SignIn.Refusal {
                return "\(refusal)"
            }
        }
        let calls: [(email: String, password: String, account: String?, tenant: String?, expected: String)] = [
            ("ada@x.ch", "correct horse", nil, "blog", "tenant_admin blog"),
            ("ada@x.ch", "another horse", nil, nil, "tenant_admin shop"),
            ("ada@x.ch", "correct horse", nil, nil, "ambiguous"),
            ("ada@x.ch", "correct horse", "acme", nil, "account_admin -"),
            ("ada@x.ch", "another horse", "acme", nil, "tenant_admin shop"),
            ("ada@x.ch", "correct horse", nil, "shop", "wrong"),
            ("ada@x.ch", "correct horse", "else", nil, "wrong"),
            ("ada@x.ch", "Correct horse", nil, "blog", "wrong"),
            ("bob@x.ch", "correct horse", nil, nil, "wrong"),
            ("eve@x.ch", "correct horse", nil, nil, "wrong"),
            ("ada@x.ch", "", nil, "blog", "wrong"),
        ]
        for call in calls {
            #expect(try signIn(call.email, call.password, account: call.account, tenant: call.tenant) == call.expected, "\(call)")
        }
        // Of tenants, none comes first.
        try fleet.database.run(script: "delete from tenantry.administrators where email = 'ada@x.ch' and tenant is null")
        let kept = try PasswordHash(of: "correct horse", cost: .init(logRounds: 4, blockSize: 8, parallelism: 1))
        try fleet.database.run(script: "update tenantry.administrators set password_hash = '\(kept)' where email = 'ada@x.ch'")
        #expect(try signIn("ada@x.ch", "correct horse", account: "acme") == "ambiguous")
        await fleet.stop()
    }

    @Test("Who is made while the tenant is purged is not made, with the header and without", arguments: [true, false])
    func purgedMeanwhile(withHeader: Bool) async throws {
        let (fleet, acme, _) = try await scene()
        let local = try bearer(fleet.ask("admin.create", admin("local@x.ch", "tenant_admin"), tenant: "shop", token: acme))
        let sender = withHeader ? acme : local
        let calls = [
            ("admin.create", admin("ada@x.ch", "tenant_admin")), ("token.issue", #"{"name":"late","scopes":["corpus:write"]}"#),
        ]
        for (kind, body) in calls {
            // As a purge does it.
            try fleet.database.begin()
            _ = try fleet.database.query("select 1 from tenantry.tenants where slug = 'shop' for update")
            try fleet.database.run(script: "update tenantry.tenants set state = 'purged' where slug = 'shop'")
            try fleet.send(kind, body, tenant: withHeader ? "shop" : nil, token: sender, id: kind)
            try await eventually("\(kind) waits for the purge") {
                try fleet.number("select count(*) from pg_locks where pg_backend_pid() = any(pg_blocking_pids(pid))") > 0
            }
            try fleet.database.commit()
            #expect(try fleet.answer(to: kind).error?.code == .tenantUnknown)
            try fleet.database.run(script: "update tenantry.tenants set state = 'active' where slug = 'shop'")
        }
        #expect(try fleet.number("select count(*) from tenantry.administrators where email = 'ada@x.ch'") == 0)
        #expect(try fleet.number("select count(*) from tenantry.credentials where name in ('ada@x.ch', 'late')") == 0)
        await fleet.stop()
    }

    @Test("A tenant's own people and tokens make nobody and nothing while the tenant is suspended, also where no header names it")
    func suspended() async throws {
        let (fleet, acme, _) = try await scene()
        let local = try bearer(fleet.ask("admin.create", admin("local@x.ch", "tenant_admin"), tenant: "shop", token: acme))
        let token = try fleet.makeToken(["corpus:write"], tenant: "shop", token: acme)
        let child = try fleet.makeToken(["corpus:write"], tenant: nil, token: token)
        try fleet.database.run(script: "update tenantry.tenants set state = 'suspended' where slug = 'shop'")
        let issue = #"{"name":"more","scopes":["corpus:write"]}"#
        let calls = [
            ("token.issue", issue, local), ("token.issue", issue, token),
            ("admin.create", admin("a@x.ch", "tenant_admin"), local),
        ]
        for (kind, body, sender) in calls {
            for tenant in [nil, "shop"] {
                #expect(try fleet.ask(kind, body, tenant: tenant, token: sender).error?.code == .tenantSuspended, "\(kind)")
            }
        }
        // What takes away is taken.
        let key = String(child.split(separator: ".")[0])
        #expect(try fleet.ask("token.revoke", #"{"key":"\#(key)"}"#, token: token).status == .succeeded)
        #expect(try fleet.ask("admin.remove", #"{"email":"local@x.ch"}"#, token: local).status == .succeeded)
        await fleet.stop()
    }
}
