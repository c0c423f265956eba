internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed at one point of a job's way", .serialized)
    struct KillPoint {
        enum Work: CaseIterable {
            case account, tenant, log

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

        /// A queue that refuses everything as long as it holds this one message; what is published for it is refused, again and again.
        private static let full: FieldTable = ["x-max-length": 1, "x-overflow": "reject-publish"]

        @Test("before its commit: nothing has happened, and the next worker does it", arguments: Work.allCases)
        func beforeCommit(work: Work) async throws {
            let (stage, post) = try await prepare(work, id: "doom-after-1")
            try post("answers")
            let doomed = try stage.startWorker(.doomed)
            try #expect(await doomed.ending(within: 60) == .signal(9))
            try #expect(stage.number(work.effect) == 0)

            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "doom-after-1", in: "answers")
            #expect(answer.status == .succeeded && !answer.duplicate)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try expectDoneOnce(work, on: stage)
        }

        @Test("between its commit and its answer: the next worker gives the answer", arguments: Work.allCases)
        func beforeAnswer(work: Work) async throws {
            let (stage, post) = try await prepare(work, id: "j1")
            _ = try stage.broker.declareQueue("full", arguments: Self.full)
            try fill("full", on: stage)
            try post("full")
            let killed = try stage.startWorker()
            try await eventually("its effect is committed") { try stage.number(work.effect) == 1 }
            try await killed.kill()
            try #expect(stage.takeAll(from: "full").map(\.messageID) == ["filler"])

            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "j1", in: "full")
            #expect(answer.status == .succeeded && answer.duplicate)
            expectSecond(answer, of: work, first: nil)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try expectDoneOnce(work, on: stage)
        }

        @Test("between its answer and its acknowledgement: the answer comes once more, and says the same", arguments: Work.allCases)
        func beforeAcknowledgement(work: Work) async throws {
            let (stage, post) = try await prepare(work, id: "j1")
            try stage.subscribe("full", exchange: Topology.eventsExchange, arguments: Self.full)
            try fill("full", on: stage)
            try post("answers")
            let killed = try stage.startWorker()
            let first = try await stage.answer(to: "j1", in: "answers")
            #expect(first.status == .succeeded && !first.duplicate)
            try await killed.kill()
            try stage.broker.unbindQueue("full", exchange: Topology.eventsExchange, routingKey: "#")

            let worker = try stage.startWorker()
            let second = try await stage.answer(to: "j1", in: "answers")
            #expect(second.status == .succeeded && second.duplicate)
            expectSecond(second, of: work, first: first)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try expectDoneOnce(work, on: stage)
        }

        private func prepare(_ work: Work, id: String) async throws -> (Stage, (String) throws -> Void) {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            return (
                stage,
                { replyTo in
                    try stage.post(
                        work.kind, work.body, tenant: work == .log ? "shop" : nil, token: work == .account ? stage.operatorToken : token,
                        id: id, replyTo: replyTo)
                    try stage.confirm()
                }
            )
        }

        private func fill(_ queue: String, on stage: Stage) throws {
            _ = try stage.broker.publish(exchange: "", routingKey: queue, properties: Properties(messageID: "filler"), body: "filler")
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

        private func expectDoneOnce(_ work: Work, on stage: Stage) throws {
            try #expect(stage.number(work.effect) == 1)
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.takeDeadLetters() == [])
            switch work {
            case .account: try #expect(stage.number("select count(*) from tenantry.credentials where account = 'late'") == 1)
            case .tenant: try #expect(stage.number("select count(*) from tenantry.tenants where account = 'acme'") == 2)
            case .log: try #expect(stage.number("select sum(messages)::int8 from tenantry.tenant_usage") == 2)
            }
        }
    }
}
