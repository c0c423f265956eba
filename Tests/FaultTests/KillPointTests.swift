internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed at one point of a job's way", .serialized)
    struct KillPoint {
        enum Work: String, CaseIterable, CustomStringConvertible {
            case account, tenant, log

            var description: String { rawValue }

            var kind: String {
                switch self {
                case .account: "account.create"
                case .tenant: "tenant.create"
                case .log: "conversation.log"
                }
            }

            var body: String {
                switch self {
                case .account: #"{"slug":"late","display_name":"Late","plan":"enterprise"}"#
                case .tenant: #"{"slug":"late","display_name":"Late"}"#
                case .log: TestFleet.log(["m1", "m2"])
                }
            }

            /// What each of them leaves when it has happened once, and all of it: 1 or 0.
            var effect: String {
                switch self {
                case .account: "select count(*) from tenantry.accounts where slug = 'late'"
                case .tenant:
                    """
                    select case when exists (select from pg_namespace where nspname = 'tenant_late')
                                     <> exists (select from tenantry.tenants where slug = 'late') then -1
                                when to_regclass('tenant_late.messages') is null then 0
                                else (select count(*) from tenantry.tenants where slug = 'late') end
                    """
                case .log: "select count(*) / 2 from tenant_shop.messages"
                }
            }
        }

        @Test("before its commit: nothing has happened, and the next worker does it")
        func beforeCommit() async throws {
            let (stage, token) = try await prepare()
            for work in Work.allCases {
                try post(work, id: "doom-after-\(work)", replyTo: stage.answers, token: token, on: stage)
                let doomed = try stage.startWorker(.doomed)
                try #expect(await doomed.ending(within: 60) == .signal(9))
                try #expect(stage.number(work.effect) == 0, "\(work)")

                let worker = try stage.startWorker()
                let answer = try await stage.answer(to: "doom-after-\(work)", in: stage.answers)
                #expect(answer.status == .succeeded && !answer.duplicate, "\(work)")
                try #expect(await worker.terminate(within: 30) == .exit(0))
            }
            try expectAllDoneOnce(on: stage)
        }

        @Test("between its commit and its answer: the next worker gives the answer")
        func beforeAnswer() async throws {
            let (stage, token) = try await prepare()
            for work in Work.allCases {
                try post(work, id: "\(work)", replyTo: stage.answers, token: token, on: stage)
                let gate = try Gate(to: stage.brokerURL, closedTo: .publish)
                let killed = try WorkerProcess(broker: gate.url(instead: stage.brokerURL), database: stage.databaseURL)
                try await eventually("the effect of \(work) is committed") { try stage.number(work.effect) == 1 }
                try await killed.kill()
                try #expect(stage.ready(stage.answers) == 0, "\(work)")

                let worker = try stage.startWorker()
                let answer = try await stage.answer(to: "\(work)", in: stage.answers)
                #expect(answer.status == .succeeded && answer.duplicate, "\(work)")
                expectSecond(answer, of: work, first: nil)
                try #expect(await worker.terminate(within: 30) == .exit(0))
            }
            try expectAllDoneOnce(on: stage)
        }

        @Test("between its answer and its acknowledgement: the answer comes once more, and says the same")
        func beforeAcknowledgement() async throws {
            let (stage, token) = try await prepare()
            for work in Work.allCases {
                try post(work, id: "\(work)", replyTo: stage.answers, token: token, on: stage)
                let gate = try Gate(to: stage.brokerURL, closedTo: .acknowledge)
                let killed = try WorkerProcess(broker: gate.url(instead: stage.brokerURL), database: stage.databaseURL)
                let first = try await stage.answer(to: "\(work)", in: stage.answers)
                #expect(first.status == .succeeded && !first.duplicate, "\(work)")
                try await killed.kill()

                let worker = try stage.startWorker()
                let second = try await stage.answer(to: "\(work)", in: stage.answers)
                #expect(second.status == .succeeded && second.duplicate, "\(work)")
                expectSecond(second, of: work, first: first)
                try #expect(await worker.terminate(within: 30) == .exit(0))
            }
            try expectAllDoneOnce(on: stage)
        }

        /// A stage with the tenant `shop`, and its account's credential.
        private func prepare() async throws -> (Stage, String) {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            return (stage, token)
        }

        private func post(_ work: Work, id: String, replyTo: String, token: String, on stage: Stage) throws {
            try stage.post(
                work.kind, work.body, tenant: work == .log ? "shop" : nil, token: work == .account ? stage.operatorToken : token,
                id: id,
                replyTo: replyTo)
            try stage.confirm()
        }

        private func expectSecond(_ second: Answer, of work: Work, first: Answer?) {
            switch work {
            case .account:
                #expect(second.result?["account"] == .string("late"))
                #expect(second.result?["secret"] == nil)
                if let first { #expect(second.result?["key"] == first.result?["key"]) }
            case .tenant:
                #expect(second.result == ["tenant": "late", "schema": "tenant_late"])
            case .log:
                #expect(second.result == ["accepted": 0, "duplicates": 2])
            }
        }

        private func expectAllDoneOnce(on stage: Stage) throws {
            for work in Work.allCases { try #expect(stage.number(work.effect) == 1, "\(work)") }
            try #expect(stage.number("select count(*) from tenantry.credentials where account = 'late'") == 1)
            try #expect(stage.number("select count(*) from tenantry.tenants where account = 'acme'") == 2)
            try #expect(stage.number("select sum(messages)::int8 from tenantry.tenant_usage") == 2)
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
