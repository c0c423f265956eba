internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What the broker refuses, and goes on refusing.
    @Suite("Refusals for good", .serialized)
    struct Refusal {
        /// Names that the broker takes for those of connections which are not there, in forms that it can read and that it cannot.
        private static let strangers = [
            "amq.rabbitmq.reply-to.g1h3DnJhYmJpdEBvdGhlcmhvc3QAAAKZAAAAAGQ0aA4=.aBcDeFgHiJkLmNoPqRsTuv==",
            "amq.rabbitmq.reply-to.g2dkAA5yYWJiaXRAb3RoZXJob3N0AAAE0QAAAAAC.abc",
            "amq.rabbitmq.reply-to.!!!.###", "amq.rabbitmq.reply-to.AAAA", "amq.rabbitmq.reply-to.",
        ]

        @Test("Answers for another cluster's direct reply-to are dropped: the family goes on, and others get their answers")
        func foreignReplyTo() async throws {
            let stage = try await Stage()
            let worker = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("acme-shop", token: token)
            for (number, name) in Self.strangers.enumerated() {
                // With a credential and without: both are answered there.
                try stage.post(
                    "tenant.update", #"{"display_name":"N"}"#, tenant: "acme-shop", token: token, id: "known-\(number)",
                    replyTo: name)
                try stage.post(
                    "tenant.update", "{}", tenant: "acme-shop", token: "none.none", id: "unknown-\(number)", replyTo: name)
            }
            try stage.confirm()
            for number in 0..<5 {
                let answer = try await stage.ask(
                    "tenant.update", #"{"display_name":"M\#(number)"}"#, tenant: "acme-shop", token: token, id: "good-\(number)")
                #expect(answer.status == .succeeded)
            }
            try await eventually("all are through") {
                try stage.ready(Topology.deadQueue) == Self.strangers.count && stage.jobsLeft() == 0
            }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.jobsLeft() == 0)
        }

        @Test("Exchanges that are deleted under running lanes are declared anew, and nothing that was to go there is lost")
        func exchangesDeleted() async throws {
            let stage = try await Stage()
            let worker = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            for exchange in [Topology.deadExchange, Topology.retryExchange, Topology.eventsExchange, Topology.alertsExchange] {
                try stage.broker.deleteExchange(exchange)
            }
            try stage.post("tenant.create", #"{"slug":7}"#, token: token, id: "bad", replyTo: stage.answers)
            try stage.post("tenant.suspend", "{}", tenant: "acme-none", token: token, id: "missing", replyTo: stage.answers)
            try stage.confirm()
            try #expect(await stage.answer(to: "bad", in: stage.answers).error?.code == .invalidPayload)
            try #expect(await stage.answer(to: "missing", in: stage.answers).error?.code == .tenantUnknown)
            try await eventually("both are given up") { try stage.ready(Topology.deadQueue) == 2 }
            try await stage.makeTenant("acme-shop", token: token)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters().sorted() == ["bad invalid_payload", "missing tenant_unknown"])
            try #expect(stage.jobsLeft() == 0)
        }

        @Test(
            "A dead-letter queue that is full keeps nobody waiting: letters lie in the database, without a secret, until it takes them again"
        )
        func deadQueueFull() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let worker = try stage.startWorker()
                let token = try await stage.makeAccount("acme")
                _ = try await node.run(
                    ctl: [
                        "set_policy", "--vhost", virtualHost(url), "full", #"^tenantry\.dead$"#,
                        #"{"max-length":0,"overflow":"reject-publish"}"#, "--apply-to",
                        "queues",
                    ])
                for number in 0..<20 {
                    try stage.post("tenant.create", #"{"slug":7}"#, token: token, id: "bad-\(number)")
                }
                try stage.confirm()
                try await eventually("the letters are kept") {
                    try stage.number("select count(*) from tenantry.postponed_messages") > 0
                }
                try await stage.makeTenant("acme-shop", token: token)
                try await eventually("all jobs are acknowledged") { try stage.jobsLeft() == 0 }
                let secret = String(token.split(separator: ".")[1])
                try #expect(
                    stage.number(
                        "select count(*) from tenantry.postponed_messages where position('\(secret)' in encode(properties, 'escape')) > 0"
                    )
                        == 0)
                _ = try await node.run(ctl: ["clear_policy", "--vhost", virtualHost(url), "full"])
                try await eventually("all letters are there") {
                    try stage.ready(Topology.deadQueue) >= 20
                        && stage.number("select count(*) from tenantry.postponed_messages") == 0
                }
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try #expect(Set(stage.takeDeadLetters()) == Set((0..<20).map { "bad-\($0) invalid_payload" }))
                try #expect(stage.jobsLeft() == 0)
            }
        }

        @Test("During a memory alarm jobs are taken, committed and acknowledged, also those that are given up or retried")
        func alarm() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let setup = try stage.startWorker()
                let token = try await stage.makeAccount("acme")
                try await stage.makeTenant("acme-shop", token: token)
                try #expect(await setup.terminate(within: 30) == .exit(0))
                for number in 0..<200 {
                    let name = #"{"display_name":"N\#(number)"}"#
                    try stage.post(
                        "tenant.update", name, tenant: "acme-shop", token: token, id: "good-\(number)", replyTo: stage.answers)
                    if number % 10 == 0 {
                        try stage.post("tenant.create", #"{"slug":7}"#, token: token, id: "bad-\(number)")
                        try stage.post("tenant.update", name, tenant: "acme-none", token: token, id: "late-\(number)")
                    }
                }
                try stage.confirm()
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.000001"])
                let worker = try stage.startWorker()
                try await eventually("all jobs are done, and acknowledged") {
                    let done = try stage.number("select count(*) from tenantry.inbox where job_id like 'good-%'")
                    let left = try await left(in: Family.tenant.queue, on: node, url)
                    return done == 200 && left == 0
                }
                try #expect(stage.ready(Topology.deadQueue) == 0)
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
                try await eventually("what was kept is published, and given up in the end") {
                    try stage.ready(Topology.deadQueue) == 40
                        && stage.number("select count(*) from tenantry.postponed_messages") == 0
                }
                try await eventually("those are answered that asked for it") { try stage.ready(stage.answers) == 200 }
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try #expect(stage.jobsLeft() == 0)
            }
        }

        @Test(
            "A job whose headers fill a frame, and outgrow it when it comes again, is refused by itself; its neighbours are done")
        func largeFrame() async throws {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try #expect(await setup.terminate(within: 30) == .exit(0))
            let body = #"{"name":"t","scopes":["corpus:write"]}"#
            // As much as our own client sends, which counts generously, and as much as fits exactly.
            for (id, bytes) in [("large", 120_000), ("full", 130_600)] {
                try stage.post(
                    "token.issue", body, token: token, id: id, headers: ["x-filler": .text(String(repeating: "x", count: bytes))])
            }
            try stage.post("token.issue", body, token: token, id: "good", replyTo: stage.answers)
            try stage.confirm()
            for _ in 0..<4 {
                // Its database is nowhere: it takes jobs, and begins none. The broker counts each return in a header.
                let killed = try WorkerProcess(broker: stage.brokerURL, database: "postgresql://nobody@127.0.0.1:1/none")
                try await eventually("the jobs are in hand") { try stage.ready(Family.tenant.queue) == 0 }
                try await killed.kill()
                try await eventually("the broker has them back") { try stage.ready(Family.tenant.queue) == 3 }
            }
            let worker = try stage.startWorker()
            try #expect(await stage.answer(to: "good", in: stage.answers).status == .succeeded)
            try await eventually("the others are given up") { try stage.ready(Topology.deadQueue) == 2 }
            #expect(!worker.log.contains("connecting anew"))
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters().sorted() == ["full payload_too_large", "large payload_too_large"])
        }

        private func virtualHost(_ url: String) -> String {
            String(URLComponents(string: url)?.path.dropFirst() ?? "/")
        }

        /// Messages of a queue, also those that are in somebody's hands.
        private func left(in queue: String, on node: BrokerNode, _ url: String) async throws -> Int {
            let lines = try await node.run(
                ctl: ["list_queues", "--vhost", virtualHost(url), "--quiet", "--no-table-headers", "name", "messages"])
            let line = lines.split(separator: "\n").first { $0.split(separator: "\t").first == queue[...] }
            guard let count = line?.split(separator: "\t").last.flatMap({ Int($0) }) else {
                throw TestFailure("no queue \(queue): \(lines)")
            }
            return count
        }
    }
}
