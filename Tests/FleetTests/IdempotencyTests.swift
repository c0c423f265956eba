internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// Any job may come any number of times; its effect comes once.
@Suite(.serialized) struct IdempotencyTests {
    @Test("A job that comes again has no second effect and gets the first answer, without the secret")
    func sameJobTwice() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        try fleet.makeTenant("other", token: account)
        let document = #"{"documents":[{"external_id":"d","title":"t","media_type":"text/plain","content":"some words"}]}"#
        let jobs: [(kind: String, body: String, tenant: String?, token: String)] = [
            ("account.create", #"{"slug":"second","display_name":"Second","plan":"pro"}"#, nil, fleet.operatorToken),
            ("account.update", #"{"account":"acme","limits":{"messages":7000}}"#, nil, fleet.operatorToken),
            ("account.rotate", "{}", nil, account),
            ("tenant.create", #"{"slug":"third","display_name":"Third"}"#, nil, account),
            ("tenant.create_many", #"{"tenants":[{"slug":"fourth","display_name":"Fourth"}]}"#, nil, account),
            ("tenant.update", #"{"display_name":"Thirty-third"}"#, "third", account),
            ("tenant.suspend", "{}", "third", account), ("tenant.resume", "{}", "third", account),
            ("tenant.delete", "{}", "third", account), ("tenant.restore", "{}", "third", account),
            ("admin.create", #"{"email":"a@x.ch","display_name":"A","role":"tenant_admin"}"#, "shop", account),
            ("admin.remove", #"{"email":"a@x.ch"}"#, "shop", account),
            ("template.save", #"{"name":"t","settings":{"a":1},\#(document.dropFirst())"#, nil, account),
            ("template.apply", #"{"template":"t"}"#, "other", account),
            ("template.remove", #"{"name":"t"}"#, nil, account),
            ("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, "shop", account),
            ("token.revoke", #"{"name":"t"}"#, "shop", account),
            ("webhook.create", ##"{"url":"https://hooks.example.com/","events":["#"]}"##, nil, account),
            ("webhook.update", #"{"webhook":"wh_1","description":"x"}"#, nil, account),
            ("webhook.rotate", #"{"webhook":"wh_1"}"#, nil, account), ("webhook.test", #"{"webhook":"wh_1"}"#, nil, account),
            ("webhook.resend", #"{"webhook":"wh_1","delivery":"7"}"#, nil, account),
            ("webhook.recover", #"{"webhook":"wh_1","since":"2026-01-01T00:00:00Z"}"#, nil, account),
            ("webhook.remove", #"{"webhook":"wh_1"}"#, nil, account),
            ("corpus.ingest", document, "shop", account),
            ("corpus.remove", #"{"external_ids":["d"]}"#, "shop", account),
            (
                "conversation.feedback", #"{"conversation_id":"c","message_id":"m","rating":1}"#, "shop", account
            ), ("conversation.erase", #"{"conversation_id":"c"}"#, "shop", account),
            ("usage.aggregate", "{}", nil, account), ("billing.close", #"{"period":"2026-01"}"#, nil, account),
        ]
        #expect(try fleet.ask("conversation.log", TestFleet.log(["m"]), tenant: "shop", token: account).status == .succeeded)
        // Old enough to have a period that is finished.
        try fleet.database.run(script: "update tenantry.accounts set created_at = '2025-12-01T00:00:00Z' where slug = 'acme'")
        try fleet.putWebhook(of: "acme")
        let named = Set(jobs.map(\.kind)).union(["conversation.log"])
        #expect(named == Set(Kind.all.map(\.name)), "every kind but the hot one is sent twice here")
        for job in jobs {
            let first = try fleet.ask(job.kind, job.body, tenant: job.tenant, token: job.token, id: "twice-\(job.kind)")
            #expect(first.status == .succeeded && !first.duplicate, "\(first)")
            let again = try fleet.ask(job.kind, job.body, tenant: job.tenant, token: job.token, id: "twice-\(job.kind)")
            #expect(again.status == .succeeded && again.duplicate, "\(again)")
            #expect(again.error == nil)
            guard case .object(var expected)? = first.result, case .object(let repeated)? = again.result else {
                Issue.record("\(job.kind) answered without a result")
                continue
            }
            let secret = expected.removeValue(forKey: "secret")
            let secretive = [
                "account.create", "account.rotate", "admin.create", "token.issue", "webhook.create", "webhook.rotate",
            ]
            #expect((secret != nil) == secretive.contains(job.kind))
            #expect(repeated == expected)
        }
        #expect(try fleet.number("select count(*) from tenantry.credentials where name = 't'") == 1)
        #expect(try fleet.number("select count(*) from tenantry.tenants where state = 'active'") == 4)
        #expect(try fleet.number("select count(*) from tenantry.credentials where role = 'account' and account = 'acme'") == 2)
        #expect(try fleet.number("select count(*) from tenantry.invoices") == 1)
        #expect(
            try fleet.number("select documents from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'")
                == 0)
        #expect(
            try fleet.number("select count(*) from tenantry.inbox where result::text like '%secret%'") == 0, "no secret is kept")
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A job's id that is used for another kind is a conflict; another account's is not")
    func otherKind() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        #expect(
            try fleet.ask("tenant.create", #"{"slug":"shop","display_name":"s"}"#, token: account, id: "x").status == .succeeded)
        let answer = try fleet.ask("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, token: account, id: "x")
        #expect(answer.error?.code == .conflict)
        #expect(try fleet.number("select count(*) from tenantry.credentials where name = 't'") == 0)
        #expect(
            try fleet.ask("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, token: stranger, id: "x").status
                == .succeeded)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().map(\.code) == ["conflict"])
    }

    @Test("A message that comes in two jobs, or twice in one, is one row and counts once")
    func sameMessage() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        func log(_ ids: [String], job: String) throws -> (Bool, JSONValue?) {
            let answer = try fleet.ask("conversation.log", TestFleet.log(ids), tenant: "shop", token: account, id: job)
            return (answer.duplicate, answer.result)
        }
        let steps: [(ids: [String], job: String, isDuplicate: Bool, accepted: Int64, duplicates: Int64)] = [
            (["a", "b"], "1", false, 2, 0), (["a", "b"], "1", true, 0, 2), (["a", "b"], "2", true, 0, 2),
            (["b", "c"], "3", false, 1, 1),
            (["d", "d", "d"], "4", false, 1, 2), (["d"], "5", true, 0, 1),
        ]
        for step in steps {
            let (isDuplicate, result) = try log(step.ids, job: step.job)
            #expect(isDuplicate == step.isDuplicate, "\(step)")
            #expect(result == ["accepted": .int(step.accepted), "duplicates": .int(step.duplicates)], "\(step)")
        }
        try expectMessages(4, conversations: 1, users: 1, fleet)

        // The same in one batch, with the first of each to stay.
        await fleet.stop()
        let first = #"{"conversation_id":"k","messages":[{"id":"e","role":"user","content":"first","sent_at":"\#(Self.now)"}]}"#
        let second =
            #"{"conversation_id":"k2","messages":[{"id":"e","role":"tool","content":"second","sent_at":"\#(Self.now)"}]}"#
        try fleet.send("conversation.log", first, tenant: "shop", token: account, id: "6")
        try fleet.send("conversation.log", second, tenant: "shop", token: account, id: "7")
        try fleet.startWorker { $0.lanes[.conversation] = 1 }
        #expect(try fleet.answer(to: "6").result?["accepted"] == 1)
        let repeated = try fleet.answer(to: "7")
        #expect(repeated.duplicate && repeated.result?["duplicates"] == 1)
        #expect(try fleet.texts("select content from tenant_shop.messages where id = 'e'") == ["first"])
        #expect(try fleet.number("select count(*) from tenant_shop.conversations where id = 'k2'") == 0)
        try expectMessages(5, conversations: 2, users: 1, fleet)
        await fleet.stop()
    }

    private static let now = RFC3339.text(Int64(Date().timeIntervalSince1970) * 1_000_000)

    private func expectMessages(_ messages: Int64, conversations: Int64, users: Int64, _ fleet: TestFleet) throws {
        let usage = "from tenantry.tenant_usage where tenant = 'shop' and messages > 0"
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == messages)
        #expect(try fleet.number("select sum(message_count)::int8 from tenant_shop.conversations") == messages)
        #expect(try fleet.number("select messages \(usage)") == messages)
        #expect(try fleet.number("select conversations \(usage)") == conversations)
        #expect(try fleet.number("select active_users \(usage)") == users)
    }

    @Test("Jobs delivered many times, to several lanes and workers at once, have one effect")
    func concurrently() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        await fleet.stop()
        for round in 0..<40 {
            let id = "same-\(round % 4)"
            try fleet.send("tenant.create", #"{"slug":"made-\#(round % 4)","display_name":"m"}"#, token: account, id: "t-\(id)")
            try fleet.send("token.issue", #"{"name":"\#(id)","scopes":["corpus:write"]}"#, token: account, id: "k-\(id)")
            try fleet.send(
                "conversation.log", TestFleet.log(["\(id)-a", "\(id)-b"], conversation: id, user: id), tenant: "shop",
                token: account)
            let document = #"{"external_id":"\#(id)","title":"t","media_type":"text/plain","content":"\#(id)"}"#
            try fleet.send("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: "shop", token: account, id: "d-\(id)")
        }
        for _ in 0..<2 {
            // Batches of one make the lanes meet as often as can be.
            try fleet.startWorker {
                $0.lanes = [.tenant: 3, .conversation: 3, .corpus: 3, .usage: 1]
                $0.batchLimit = 1
            }
        }
        try await eventually("the queues are empty and all is acknowledged") {
            try fleet.number("select sum(jobs + rejected)::int8 from tenantry.workers") >= 160
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().map { "\($0.code) \($0.message)" } == [])
        #expect(try fleet.number("select count(*) from tenantry.tenants where slug like 'made-%'") == 4)
        #expect(try fleet.number("select count(*) from tenantry.credentials where name like 'same-%'") == 4)
        #expect(try fleet.number("select count(*) from tenant_shop.documents") == 4)
        #expect(
            try fleet.number("select documents from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'")
                == 4)
        try expectMessages(8, conversations: 4, users: 4, fleet)
    }

    @Test("A rejected job leaves nothing behind: replayed when its cause is mended, it runs")
    func replay() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "small")
        for slug in ["a1", "a2", "a3"] { try fleet.makeTenant(slug, token: account) }
        let refused = try fleet.ask("tenant.create", #"{"slug":"a4","display_name":"x"}"#, token: account, id: "again")
        #expect(refused.error?.code == .limitReached)
        let lost = try fleet.ask("conversation.log", TestFleet.log(["m"]), tenant: "a5", token: account, id: "lost")
        #expect(lost.error?.code == .tenantUnknown)
        #expect(try fleet.number("select count(*) from tenantry.inbox where job_id = 'again'") == 0)
        #expect(try fleet.number("select count(*) from pg_namespace where nspname = 'tenant_a4'") == 0)

        let raised = try fleet.ask(
            "account.update", #"{"account":"acme","limits":{"child_tenants":9}}"#, token: fleet.operatorToken)
        #expect(raised.status == .succeeded)
        try fleet.makeTenant("a5", token: account)
        let queue = try DeadLetterQueue(.init(fleet.brokerURL))
        #expect(try queue.count() == 2)
        while let letter = try queue.next() { try queue.replay(letter) }
        queue.close()
        for id in ["again", "lost"] {
            let answer = try fleet.answer(to: id)
            #expect(answer.status == .succeeded && !answer.duplicate, "\(answer)")
        }
        #expect(try fleet.number("select count(*) from tenantry.tenants where slug = 'a4'") == 1)
        #expect(try fleet.number("select count(*) from tenant_a5.messages") == 1)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
