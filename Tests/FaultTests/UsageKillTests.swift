internal import AMQP
internal import Contract
internal import Postgres
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed while it counts or erases", .serialized)
    struct UsageKill {
        @Test("usage.aggregate with a part committed: the next worker finds that part right, does the rest, and answers")
        func aggregation() async throws {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            // One more than a part has, by name in the second one.
            let items = (100...200).map { #"{"slug":"t-\#($0)"}"# }.joined(separator: ",")
            let made = try await stage.ask(
                "tenant.create_many", #"{"defaults":{"display_name":"x"},"tenants":[\#(items)]}"#, token: token)
            #expect(made.result?["created"] == 101)
            for slug in ["t-100", "t-200"] {
                let logged = try await stage.ask("conversation.log", TestFleet.log(["1", "2"]), tenant: slug, token: token)
                #expect(logged.status == .succeeded)
            }
            try await swept(stage)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            try stage.run("update tenantry.tenant_usage set messages = 7 where messages > 0")
            try stage.post("usage.aggregate", "{}", token: token, id: "count", replyTo: stage.answers)
            try stage.confirm()

            // It comes to the second part, and no further.
            try stage.database.begin()
            try stage.run("lock table tenant_t_200.documents in access exclusive mode")
            let killed = try stage.startWorker()
            try await eventually("the first part is committed") { try stage.number(Self.messages("t-100")) == 2 }
            try await killed.kill()
            try stage.database.rollback()
            try #expect(stage.number(Self.messages("t-200")) == 7)
            try #expect(stage.number("select count(*) from tenantry.inbox where job_id = 'count'") == 0)

            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "count", in: stage.answers)
            #expect(answer.status == .succeeded && !answer.duplicate, "\(answer)")
            #expect(answer.result?["tenants"] == 101 && answer.result?["corrections"] == 1, "\(answer)")
            try await swept(stage)
            for slug in ["t-100", "t-200"] { try #expect(stage.number(Self.messages(slug)) == 2, "\(slug)") }
            try #expect(stage.number("select sum(messages)::int8 from tenantry.account_usage") == 4)
            try await expectNothingLeft(stage, worker)
        }

        @Test("usage.aggregate with all parts committed: the next worker finds nothing wrong any more, and answers")
        func aggregationConcluded() async throws {
            let (stage, token) = try await prepare()
            try stage.run("update tenantry.tenant_usage set messages = 9, tokens = 9 where messages > 0")
            let answer = try await survive("usage.aggregate", "{}", tenant: nil, token: token, on: stage) {
                try stage.number(Self.messages("shop")) == 2
            }
            #expect(answer.result?["tenants"] == 1 && answer.result?["corrections"] == 0, "\(answer)")
            try #expect(stage.number(Self.messages("shop")) == 2)
            try #expect(stage.number("select sum(messages)::int8 from tenantry.account_usage") == 2)
            try #expect(stage.number("select sum(tokens)::int8 from tenantry.account_usage") == 0)
        }

        @Test("conversation.erase before its commit: all is there, and the next worker erases it once and counts it once")
        func erasure() async throws {
            let (stage, token) = try await prepare()
            let answer = try await survive(
                "conversation.erase", #"{"user_id":"u"}"#, tenant: "shop", token: token, on: stage
            ) {
                try stage.number("select count(*) from tenant_shop.messages") == 2
                    && stage.number("select count(*) from tenantry.erased_usage") == 0
                    && stage.number("select count(*) from tenantry.erased_messages") == 0
            }
            #expect(answer.result?["messages"] == 2 && answer.result?["conversations"] == 1, "\(answer)")
            try #expect(stage.number("select count(*) from tenant_shop.messages") == 0)
            try #expect(stage.number("select sum(messages)::int8 from tenantry.erased_usage") == 2)
            try #expect(stage.number("select sum(conversations)::int8 from tenantry.erased_usage") == 1)
            try #expect(stage.number("select count(*) from tenantry.erased_messages") == 2)
            try #expect(stage.number(Self.messages("shop")) == 2)
            try #expect(stage.number("select count(*) from tenantry.audit_log where kind = 'conversation.erase'") == 1)
        }

        private static func messages(_ tenant: String) -> String {
            "select messages from tenantry.tenant_usage where tenant = '\(tenant)' and messages > 0"
        }

        /// The tenant `shop` with two messages, and its account's credential.
        private func prepare() async throws -> (Stage, String) {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            let logged = try await stage.ask("conversation.log", TestFleet.log(["1", "2"]), tenant: "shop", token: token)
            #expect(logged.status == .succeeded)
            try await swept(stage)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            return (stage, token)
        }

        /// Kills one worker after the job's effects and before their last commit, and lets another one do it.
        private func survive(
            _ kind: String, _ body: String, tenant: String?, token: String, on stage: Stage, _ isAsExpected: () throws -> Bool
        ) async throws -> Answer {
            try stage.post(kind, body, tenant: tenant, token: token, id: "doom-after-it", replyTo: stage.answers)
            try stage.confirm()
            try #expect(await stage.startWorker(.doomed).ending(within: 60) == .signal(9))
            #expect(try isAsExpected(), "after the death")
            try #expect(stage.number("select count(*) from tenantry.inbox where job_id = 'doom-after-it'") == 0)
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "doom-after-it", in: stage.answers)
            #expect(answer.status == .succeeded && !answer.duplicate, "\(answer)")
            try await swept(stage)
            try await expectNothingLeft(stage, worker)
            return answer
        }

        private func swept(_ stage: Stage) async throws {
            try await eventually("pools are swept") { try stage.number("select count(*) from tenantry.usage_deltas") == 0 }
        }

        private func expectNothingLeft(_ stage: Stage, _ worker: WorkerProcess) async throws {
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
