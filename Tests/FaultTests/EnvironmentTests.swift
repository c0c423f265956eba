internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import Glibc
internal import Postgres
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What is nobody's fault of those who sent jobs.
    @Suite("The environment's faults", .serialized)
    struct Environment {
        private func prepared(tenants: Int) async throws -> (Stage, String, [String]) {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            let slugs = (0..<tenants).map { "acme-\($0)" }
            for slug in slugs { try await stage.makeTenant(slug, token: token) }
            try #expect(await setup.terminate(within: 30) == .exit(0))
            return (stage, token, slugs)
        }

        private func log(_ stage: Stage, _ slug: String, _ token: String, _ number: Int) throws {
            try stage.post(
                "conversation.log", TestFleet.log(["m\(number)"]), tenant: slug, token: token, id: "\(slug)-\(number)")
        }

        @Test(
            "Rights that are revoked for a while keep the fleet waiting, which says so; no attempt is counted, and all is done after that"
        )
        func rightsRevoked() async throws {
            let (stage, token, slugs) = try await prepared(tenants: 5)
            for number in 0..<20 { for slug in slugs { try log(stage, slug, token, number) } }
            try stage.confirm()
            let role = try stage.table("select name from tenantry.database_roles where purpose = 'worker'")[0][0]
            try stage.run("revoke insert on tenantry.tenant_usage from \"\(role)\"")
            let worker = try stage.startWorker()
            try await eventually("it says what it lacks") { worker.log.contains("42501") }
            try #expect(stage.ready(Topology.deadQueue) == 0)
            try #expect(stage.ready("retried") == 0)
            try stage.run("grant insert on tenantry.tenant_usage to \"\(role)\"")
            try await eventually("all is done") {
                try slugs.allSatisfy { slug in
                    try stage.number("select count(*) from \"tenant_\(slug.replacing("-", with: "_"))\".messages") == 20
                }
            }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.ready("retried") == 0)
            try #expect(stage.takeDeadLetters() == [])
            try #expect(stage.jobsLeft() == 0)
        }

        @Test(
            "A tenant whose table somebody has locked waits by itself: all others' jobs are done meanwhile, and its own after that"
        )
        func locked() async throws {
            let (stage, token, slugs) = try await prepared(tenants: 6)
            try stage.run("begin; lock table tenant_acme_0.messages in access exclusive mode")
            for number in 0..<50 { for slug in slugs { try log(stage, slug, token, number) } }
            try stage.confirm()
            let worker = try stage.startWorker()
            var others = try Postgres.Connection(ConnectionOptions(url: stage.databaseURL, applicationName: "test"))
            try await eventually("the others' are done") {
                try slugs.dropFirst().allSatisfy { slug in
                    let sql = "select count(*) from \"tenant_\(slug.replacing("-", with: "_"))\".messages"
                    return try others.query(Statement(sql)).int(0, 0) == 50
                }
            }
            try await eventually("its own wait on the ladder, and no attempt is counted") {
                let counts = try others.query("select deferred, retried, rejected from tenantry.workers")
                return counts.int(0, 0) > 0 && counts.int(0, 1) == 0 && counts.int(0, 2) == 0
            }
            try stage.run("rollback")
            try await eventually("its own are done") { try stage.number("select count(*) from tenant_acme_0.messages") == 50 }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == [])
            try #expect(stage.jobsLeft() == 0)
        }

        @Test("A tenant whose table is missing waits by itself, and its jobs are done once it is there again")
        func tableMissing() async throws {
            let (stage, token, slugs) = try await prepared(tenants: 3)
            try stage.run("alter table tenant_acme_0.messages rename to elsewhere")
            for number in 0..<10 { for slug in slugs { try log(stage, slug, token, number) } }
            try stage.confirm()
            let worker = try stage.startWorker()
            try await eventually("the others' are done") {
                try stage.number(
                    "select (select count(*) from tenant_acme_1.messages) + (select count(*) from tenant_acme_2.messages)") == 20
            }
            try stage.run("alter table tenant_acme_0.elsewhere rename to messages")
            try await eventually("its own are done") { try stage.number("select count(*) from tenant_acme_0.messages") == 10 }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == [])
            try #expect(stage.jobsLeft() == 0)
        }

        @Test(
            "Eight clean stops with a job in hand that does not end in time leave no mark on it: it is done in the end, and is no crash loop"
        )
        func cleanStops() async throws {
            let (stage, token, _) = try await prepared(tenants: 1)
            try log(stage, "acme-0", token, 0)
            try stage.confirm()
            try stage.run("begin; lock table tenantry.tenant_usage in access exclusive mode")
            var others = try Postgres.Connection(ConnectionOptions(url: stage.databaseURL, applicationName: "test"))
            for _ in 0..<8 {
                let worker = try stage.startWorker(.tenantry, ["TENANTRY_WORKER_DRAIN_SECONDS": "1"])
                try await eventually("the job is in hand") { try stage.ready(Family.conversation.queue) == 0 }
                try await eventually("it waits for the lock") {
                    try others.query(
                        "select count(*) from pg_locks where not granted and relation = 'tenantry.tenant_usage'::regclass"
                    ).int(0, 0) > 0
                }
                try #expect(await worker.terminate(within: 30) == .exit(0))
            }
            try stage.run("rollback")
            let worker = try stage.startWorker()
            try await eventually("it is done") { try stage.number("select count(*) from tenant_acme_0.messages") == 1 }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.number("select count(*) from tenantry.suspects where begun > 0") == 0)
            try #expect(stage.takeDeadLetters() == [])
        }

        @Test("A broker that allows a message few returns loses none, however often workers die with it in hand")
        func deliveryLimit() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let setup = try stage.startWorker()
                let token = try await stage.makeAccount("acme")
                try await stage.makeTenant("acme-0", token: token)
                try #expect(await setup.terminate(within: 30) == .exit(0))
                let virtualHost = String(URLComponents(string: url)?.path.dropFirst() ?? "/")
                _ = try await node.run(
                    ctl: [
                        "set_policy", "--vhost", virtualHost, "limit", #"^tenantry\."#, #"{"delivery-limit":20}"#, "--apply-to",
                        "queues",
                    ])
                for number in 0..<100 { try log(stage, "acme-0", token, number) }
                try stage.confirm()
                // Nothing is begun, so nothing is suspected of what kills the workers.
                try stage.run(
                    "begin; lock table tenantry.suspects in access exclusive mode; lock table tenantry.directory in access exclusive mode"
                )
                for _ in 0..<14 {
                    let worker = try stage.startWorker()
                    try await eventually("the jobs are in hand") { try stage.ready(Family.conversation.queue) == 0 }
                    try await worker.kill()
                    do {
                        try await eventually("the broker has them back") { try stage.ready(Family.conversation.queue) >= 100 }
                    } catch {
                        let queues = try await node.run(
                            ctl: [
                                "list_queues", "-p", virtualHost, "name", "messages", "messages_ready", "messages_unacknowledged",
                            ])
                        let postponed = try stage.number("select count(*) from tenantry.postponed_messages")
                        throw TestFailure("\(error); \(postponed) are postponed; \(queues)\n\(worker.log.suffix(3_000))")
                    }
                }
                try stage.run("rollback")
                let worker = try stage.startWorker()
                try await eventually("all are done") { try stage.number("select count(*) from tenant_acme_0.messages") == 100 }
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try #expect(stage.takeDeadLetters() == [])
                try #expect(stage.jobsLeft() == 0)
            }
        }

        @Test("A dead letter, or a job, that was moved to another queue of the fleet by hand finds its way")
        func movedByHand() async throws {
            let (stage, token, _) = try await prepared(tenants: 1)
            var properties = Properties(contentType: "application/json")
            properties.type = "tenant.update"
            properties.messageID = "moved"
            properties.replyTo = stage.answers
            properties.headers = ["authorization": .text("Bearer \(token)"), "tenant": "acme-0"]
            // Over the default exchange: the routing key is the name of a queue, and not even the right one.
            _ = try stage.broker.publish(
                exchange: "", routingKey: Family.corpus.queue, properties: properties, body: #"{"display_name":"Moved"}"#)
            try stage.post("tenant.suspend", "{}", tenant: "acme-none", token: token, id: "letter", replyTo: stage.answers)
            try stage.confirm()
            let worker = try stage.startWorker()
            try #expect(await stage.answer(to: "moved", in: stage.answers).status == .succeeded)
            try #expect(await stage.answer(to: "letter", in: stage.answers).error?.code == .tenantUnknown)
            try await stage.makeTenant("acme-none", token: token)
            let letter = try #require(try stage.take(from: Topology.deadQueue))
            _ = try stage.broker.publish(
                exchange: "", routingKey: Family.usage.queue, properties: letter.properties, body: Array(letter.body))
            try stage.confirm()
            try #expect(await stage.answer(to: "letter", in: stage.answers).status == .succeeded)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == [])
            try #expect(stage.jobsLeft() == 0)
        }
    }
}
