internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// Who did what, when, and by which job.
@Suite(.serialized) struct AuditTests {
    /// A job of each audited kind, and what its row says.
    private struct Step {
        let kind: String
        let body: String
        var header: String?
        let token: String
        let actor: String
        /// The row's account and tenant.
        let subject: String
    }

    private static let password = "correct horse battery"
    private static let apiKey = "sk-not-for-the-log"
    private static let settingsKey = "greeting"

    private func steps(_ fleet: TestFleet, account: String, admin: String) -> [Step] {
        let op = (fleet.operatorToken, "operator test")
        let own = (account, "account account")
        let ada = (admin, "account_admin ada@x.ch")
        func step(_ kind: String, _ body: String, _ header: String? = nil, by sender: (String, String), _ subject: String) -> Step
        {
            Step(kind: kind, body: body, header: header, token: sender.0, actor: sender.1, subject: subject)
        }
        let person = #"{"email":"Bob@x.ch","display_name":"Bob","role":"tenant_admin","password":"\#(Self.password)"}"#
        let documents = #"[{"external_id":"d","title":"t","media_type":"text/plain","content":"words of a document"}]"#
        // One that succeeds, and two that are rejected for themselves, all with secrets in places that are known and unknown.
        let many = """
            {"defaults":{"display_name":"Fourth","settings":{"a":{"b":"\(Self.apiKey)"}},"x":"\(Self.apiKey)"},"tenants":[
            {"slug":"fourth","limits":{"messages":5},"settings":{"c":["\(Self.apiKey)"]},"y":{"z":"\(Self.apiKey)"}},
            {"slug":{"z":"\(Self.apiKey)"}},{"slug":"fifth","settings":"\(Self.apiKey)"}]}
            """
        return [
            step("account.create", #"{"slug":"second","display_name":"Second","plan":"pro"}"#, by: op, "second -"),
            step("account.update", #"{"account":"acme","limits":{"messages":7000}}"#, by: op, "acme -"),
            step("account.rotate", #"{"account":"acme"}"#, by: op, "acme -"),
            step(
                "tenant.create", #"{"slug":"third","display_name":"Third","settings":{"a":"\#(Self.apiKey)"}}"#, by: ada,
                "acme third"),
            step("tenant.create_many", many, by: own, "acme -"),
            step(
                "tenant.update", #"{"settings":{"\#(Self.settingsKey)":"\#(Self.apiKey)"},"x":"\#(Self.apiKey)"}"#, "shop",
                by: ada, "acme shop"),
            step("tenant.suspend", "{}", "shop", by: own, "acme shop"),
            step("tenant.resume", "{}", "shop", by: own, "acme shop"),
            step("tenant.delete", #"{"mode":"archive"}"#, "third", by: ada, "acme third"),
            step("tenant.restore", "{}", "third", by: ada, "acme third"),
            step("admin.create", person, "shop", by: ada, "acme shop"),
            step("admin.remove", #"{"email":"bob@x.ch"}"#, "shop", by: own, "acme shop"),
            step("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, "shop", by: own, "acme shop"),
            step("token.revoke", #"{"name":"t"}"#, by: ada, "acme -"),
            step("template.save", #"{"name":"t","documents":\#(documents)}"#, by: own, "acme -"),
            step("template.apply", #"{"template":"t"}"#, "shop", by: own, "acme shop"),
            step("template.remove", #"{"name":"t"}"#, by: ada, "acme -"),
            step(
                "webhook.create", ##"{"url":"https://hooks.example.com/?key=\##(Self.apiKey)","events":["#"]}"##, by: own,
                "acme -"),
            step("webhook.update", #"{"webhook":"wh_1","url":"https://hooks.example.com/\#(Self.apiKey)"}"#, by: ada, "acme -"),
            step("webhook.rotate", #"{"webhook":"wh_1"}"#, by: own, "acme -"),
            step("webhook.resend", #"{"webhook":"wh_1","delivery":"7"}"#, by: ada, "acme -"),
            step("webhook.recover", #"{"webhook":"wh_1","since":"2026-01-01T00:00:00Z"}"#, by: own, "acme -"),
            step("webhook.remove", #"{"webhook":"wh_1"}"#, by: own, "acme -"),
            step("corpus.ingest", #"{"documents":\#(documents)}"#, "shop", by: own, "acme shop"),
            step("corpus.remove", #"{"external_ids":["d"]}"#, "shop", by: ada, "acme shop"),
            step("conversation.erase", #"{"conversation_id":"c"}"#, "shop", by: own, "acme shop"),
            step("billing.close", #"{"period":"2026-01"}"#, by: own, "acme -"),
        ]
    }

    @Test("Each administrative job that succeeds leaves one row that says who, what, when and by which job; no other leaves any")
    func rows() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let person = #"{"email":"ada@x.ch","display_name":"Ada","role":"account_admin","password":"\#(Self.password)"}"#
        let made = try fleet.ask("admin.create", person, token: account)
        guard case .string(let key)? = made.result?["key"], case .string(let secret)? = made.result?["secret"] else {
            throw TestFailure("\(made)")
        }
        #expect(try fleet.ask("conversation.log", TestFleet.log(["m"]), tenant: "shop", token: account).status == .succeeded)
        try fleet.putWebhook(of: "acme")
        // Old enough to have a period that is finished.
        try fleet.database.run(script: "update tenantry.accounts set created_at = '2025-12-01T00:00:00Z' where slug = 'acme'")
        var secrets = [secret, String(account.split(separator: ".")[1]), Self.password, Self.apiKey]

        let steps = steps(fleet, account: account, admin: "\(key).\(secret)")
        #expect(Set(steps.map(\.kind)) == Set(Kind.all.filter(\.isAudited).map(\.name)), "every audited kind is done here")
        for step in steps {
            let id = "audited-\(step.kind)"
            // Rejected first, under the same id: that leaves nothing.
            let refused = try fleet.ask(step.kind, "[]", tenant: step.header, token: step.token, id: id)
            #expect(refused.error?.code == .invalidPayload, "\(refused)")
            #expect(try rows(of: id, fleet) == [])
            let row = "\(step.actor) \(step.token.split(separator: ".")[0]) \(step.kind) \(step.subject)"
            for isDuplicate in [false, true] {
                let answer = try fleet.ask(step.kind, step.body, tenant: step.header, token: step.token, id: id)
                #expect(answer.status == .succeeded && answer.duplicate == isDuplicate, "\(answer)")
                #expect(try rows(of: id, fleet) == [row])
                if case .string(let secret)? = answer.result?["secret"] { secrets.append(secret) }
            }
        }
        #expect(
            try fleet.number(
                "select count(*) from tenantry.audit_log where at not between now() - interval '5 minutes' and now()") == 0)
        #expect(
            try fleet.texts(
                "select details #>> '{payload,display_name}' from tenantry.audit_log where job_id = 'audited-admin.create'")
                == ["Bob"])
        #expect(
            try fleet.texts("select details #>> '{result,tenant}' from tenantry.audit_log where job_id = 'audited-tenant.create'")
                == ["third"])
        #expect(
            try fleet.texts(
                "select details->>'payload' from tenantry.audit_log where job_id like 'audited-tenant.%' order by id limit 3")
                == [
                    #"{"slug": "third", "settings": ["a"], "display_name": "Third"}"#,
                    #"{"tenants": [{"slug": "fourth", "limits": {"messages": 5}, "settings": ["c"]}, {"slug": ["z"]}, "#
                        + #"{"slug": "fifth", "settings": null}], "defaults": {"settings": ["a"], "display_name": "Fourth"}}"#,
                    #"{"settings": ["\#(Self.settingsKey)"]}"#,
                ])
        // Refused by the handler, not only by the decoder.
        let before = try fleet.number("select count(*) from tenantry.audit_log")
        #expect(try fleet.ask("admin.create", person, token: account).error?.code == .conflict)
        #expect(try fleet.ask("template.remove", #"{"name":"gone"}"#, token: account).error?.code == .invalidPayload)
        #expect(try fleet.number("select count(*) from tenantry.audit_log") == before)
        #expect(secrets.count >= 6)
        try expectNowhere(secrets, fleet)
        await fleet.stop()
        try expectNotIn(fleet.takeDeadLetters(), secrets)
    }

    private func rows(of id: String, _ fleet: TestFleet) throws -> [String] {
        try fleet.texts(
            """
            select concat_ws(' ', role, actor, credential, kind, account, coalesce(tenant, '-')) from tenantry.audit_log where job_id = '\(id)'
            """)
    }

    private func expectNowhere(_ secrets: [String], _ fleet: TestFleet) throws {
        for table in ["audit_log", "inbox", "outbox", "administrators", "credentials", "dead_letters"] {
            for secret in secrets {
                let statement = Statement("select count(*) from tenantry.\(table) t where strpos(t::text, $1) > 0")
                let found = try fleet.database.query(statement, secret).only(Int64.self)
                #expect(found == 0, "a secret or a password lies in \(table)")
            }
        }
    }

    private func expectNotIn(_ letters: [DeadLetterQueue.Letter], _ secrets: [String]) {
        #expect(!letters.isEmpty)
        for letter in letters {
            for (name, value) in letter.delivery.properties.headers.entries {
                #expect(!secrets.contains { "\(value)".contains($0) }, "header \(name) of a dead \(letter.kind)")
            }
            let body = letter.delivery.withBody { String(decoding: $0, as: UTF8.self) }
            #expect(!secrets.contains { body.contains($0) }, "body of a dead \(letter.kind)")
        }
    }

    @Test("A payload that is too long is kept by the names of its fields, and documents not at all")
    func long() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let documents = #"[{"external_id":"d","title":"t","media_type":"text/plain","content":"unheard"}]"#
        let long = (0..<900).map { #""setting-\#($0)":1"# }.joined(separator: ",")
        for (name, settings) in [("short", "{}"), ("long", "{\(long)}")] {
            let body = #"{"name":"\#(name)","settings":\#(settings),"unknown":1,"documents":\#(documents)}"#
            #expect(try fleet.ask("template.save", body, token: account, id: name).status == .succeeded)
        }
        #expect(
            try fleet.texts("select details->>'payload' from tenantry.audit_log where kind = 'template.save' order by id")
                == [#"{"name": "short", "settings": []}"#, #"{"fields": ["documents", "name", "settings"]}"#])
        await fleet.stop()
    }
}
