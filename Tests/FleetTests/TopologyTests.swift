internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// What lies on the broker.
@Suite(.serialized) struct TopologyTests {
    private static let queues = ["account", "tenant", "corpus", "conversation", "usage", "control", "dead", "unroutable"].map {
        "tenantry.\($0)"
    }

    private func options(_ fleet: TestFleet, partitions: [Family: Int] = [:]) throws -> FleetOptions {
        var options = FleetOptions(broker: try BrokerURL(fleet.brokerURL), database: .init(url: fleet.databaseURL))
        options.ladder = TestFleet.ladder
        options.partitions = partitions
        return options
    }

    @Test("Every queue is a durable quorum queue, exchanges are durable, and applying twice is harmless")
    func durable() async throws {
        let fleet = try await TestFleet()
        try TopologyDeclaration(options(fleet)).apply(to: BrokerURL(fleet.brokerURL))
        // A declaration that differs from what is there is refused with 406: the same again proves what is there.
        for queue in Self.queues { try fleet.broker.declareQueue(queue, arguments: ["x-queue-type": "quorum"]) }
        for queue in Self.queues + TestFleet.ladder.delaysMilliseconds.map({ "tenantry.retry.\($0)" }) {
            #expect(throws: AMQPError.self, "\(queue) is no classic queue") {
                try fleet.broker.declareQueue(queue, arguments: ["x-queue-type": "classic"])
            }
            try fleet.broker.reopenChannel()
        }
        for delay in TestFleet.ladder.delaysMilliseconds {
            try fleet.broker.declareQueue(
                "tenantry.retry.\(delay)",
                arguments: [
                    "x-dead-letter-exchange": "tenantry.jobs", "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                    "x-queue-type": "quorum",
                ])
        }
        for exchange in ["dead", "alerts", "events"] { try fleet.broker.declareExchange("tenantry.\(exchange)", type: "topic") }
        try fleet.broker.declareExchange("tenantry.jobs", type: "topic", arguments: ["alternate-exchange": "tenantry.unroutable"])
    }

    @Test("A job whose kind has lost its binding waits until it is bound again, and is done")
    func missingBinding() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        for key in Family.corpus.bindingKeys {
            try fleet.broker.unbindQueue(Family.corpus.queue, exchange: Topology.jobsExchange, routingKey: key)
        }
        let answer = try fleet.ask("corpus.remove", #"{"external_ids":["d"]}"#, tenant: "shop", token: account)
        #expect(answer.status == .succeeded)
        #expect(try fleet.takeDeadLetters().isEmpty)
        await fleet.stop()
    }

    @Test("A job goes to its family's queue, and one of no family to the unroutable ones")
    func bindings() async throws {
        let fleet = try await TestFleet()
        let keys: [String: [String]] = [
            "tenantry.account": [],
            "tenantry.control": [
                "account.create", "account.update", "account.rotate", "token.revoke", "tenant.suspend", "tenant.resume",
            ],
            "tenantry.tenant": ["tenant.create", "tenant.delete", "admin.create", "token.issue", "template.apply"],
            "tenantry.corpus": ["corpus.ingest", "corpus.remove"],
            "tenantry.conversation": ["conversation.log", "conversation.erase"],
            "tenantry.usage": ["usage.aggregate", "billing.close"],
            "tenantry.unroutable": ["weather.report", "account.close", "conversations.log", "x"],
        ]
        for key in keys.values.joined() { try fleet.send(key, "{}", token: "t") }
        for (queue, keys) in keys {
            var found: [String] = []
            while let delivery = try fleet.broker.get(queue) {
                found.append(delivery.routingKey)
                try fleet.broker.ack(delivery.deliveryTag)
            }
            #expect(found.sorted() == keys.sorted(), "\(queue)")
        }
    }

    @Test("Bindings of a whole family, from before each kind had its own, are taken away")
    func formerBindings() async throws {
        let fleet = try await TestFleet()
        for family in Family.allCases {
            for key in family.formerBindingKeys {
                try fleet.broker.bindQueue(family.queue, exchange: Topology.jobsExchange, routingKey: key)
            }
        }
        try TopologyDeclaration(options(fleet)).apply(to: BrokerURL(fleet.brokerURL))
        for kind in Kind.all { try fleet.send(kind.name, "{}", token: "t") }
        for queue in Set(Kind.all.map(\.queue)).union(["tenantry.account"]) {
            var found: [String] = []
            while let delivery = try fleet.broker.get(queue) {
                found.append(delivery.routingKey)
                try fleet.broker.ack(delivery.deliveryTag)
            }
            #expect(found.sorted() == Kind.all.filter { $0.queue == queue }.map(\.name).sorted(), "\(queue)")
        }
    }

    @Test("A worker's lanes declare it once, and once more after each loss of the broker, however many of them lost it")
    func owner() async throws {
        let fleet = try await TestFleet()
        let owner = TopologyOwner(try options(fleet))
        let first = try owner.declare()
        try fleet.broker.deleteQueue("tenantry.usage")
        #expect(try owner.declare().number == first.number)
        #expect(try fleet.broker.inspectQueue("tenantry.usage") == nil, "nothing was declared again")
        var last = first
        for _ in 0..<2 {
            // Each lane finds out for itself, some of them when another one has declared already.
            let lost = last
            let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        owner.lost(lost)
                        return try owner.declare().number
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(numbers == Array(repeating: lost.number + 1, count: 8))
            #expect(try fleet.broker.inspectQueue("tenantry.usage") != nil)
            last = try owner.declare()
        }
    }

    @Test("A worker that is told not to declare asks for left partitions all the same, and declares nothing")
    func ownerThatMayNot() async throws {
        let fleet = try await TestFleet(partitions: [.conversation: 3])
        var options = try options(fleet)
        options.declaresTopology = false
        try fleet.broker.deleteQueue("tenantry.usage")
        let declared = try TopologyOwner(options).declare()
        #expect(declared.leftovers[.conversation] == (0..<3).map { "tenantry.conversation.\($0)" })
        #expect(declared.leftovers[.usage] == [])
        #expect(try fleet.broker.inspectQueue("tenantry.usage") == nil)
    }

    @Test("A queue that is deleted under a running worker is declared again, and its jobs are done")
    func deletedQueue() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        _ = try fleet.makeAccount("acme")
        for name in ["one", "two"] {
            try fleet.broker.deleteQueue("tenantry.account")
            try await eventually("the queue is there again, and consumed") {
                try fleet.broker.inspectQueue("tenantry.account")?.consumerCount == 1
            }
            _ = try fleet.makeAccount(name)
        }
        await fleet.stop()
    }

    private func counts(_ fleet: TestFleet) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for queue in ["tenantry.conversation"] + (0..<4).map({ "tenantry.conversation.\($0)" }) {
            counts[queue] = try fleet.broker.inspectQueue(queue)?.messageCount ?? 0
        }
        return counts.filter { $0.value > 0 }
    }

    @Test("With partitions, a tenant's jobs lie in one queue; with fewer or none, what is left is done and nothing comes twice")
    func partitions() async throws {
        let fleet = try await TestFleet(partitions: [.conversation: 4])
        try fleet.startWorker { $0.partitions = [.conversation: 4] }
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        let tenants = (0..<8).map { "t\($0)x" }
        for slug in tenants { try fleet.makeTenant(slug, token: account) }
        await fleet.stop()

        var sent = 0
        func send(_ count: Int, _ tenant: String) throws -> [String] {
            try (0..<count).map { _ in
                sent += 1
                try fleet.send("conversation.log", TestFleet.log(["\(sent)"]), tenant: tenant, token: account, id: "job-\(sent)")
                return "job-\(sent)"
            }
        }
        var jobs = try send(20, tenants[0])
        try await eventually("the queues know") { try counts(fleet).values.reduce(0, +) == 20 }
        #expect(try counts(fleet).count == 1, "one tenant, one partition")
        for tenant in tenants.dropFirst() { jobs += try send(3, tenant) }
        try await eventually("the queues know") { try counts(fleet).values.reduce(0, +) == 41 }
        #expect(try counts(fleet)["tenantry.conversation"] == nil)
        try fleet.startWorker { $0.partitions = [.conversation: 4] }
        for id in jobs { #expect(try fleet.answer(to: id).result?["accepted"] == 1) }
        await fleet.stop()

        for partitions in [2, 1] {
            // Left behind by the larger number.
            jobs = []
            for tenant in tenants { jobs += try send(3, tenant) }
            try fleet.startWorker { $0.partitions = [.conversation: partitions] }
            for id in jobs { #expect(try fleet.answer(to: id, timeoutSeconds: 20).result?["accepted"] == 1, "\(partitions)") }
            await fleet.stop()
            #expect(try counts(fleet) == [:], "nothing is left over")
            jobs = []
            for tenant in tenants { jobs += try send(2, tenant) }
            try await eventually("the queues know") { try counts(fleet).values.reduce(0, +) >= jobs.count }
            let present = try counts(fleet)
            #expect(present.values.reduce(0, +) == jobs.count, "each once: \(present)")
            let allowed = Set(
                partitions == 1 ? ["tenantry.conversation"] : (0..<partitions).map { "tenantry.conversation.\($0)" })
            #expect(Set(present.keys).isSubset(of: allowed), "\(present)")
            try fleet.startWorker { $0.partitions = [.conversation: partitions] }
            for id in jobs { #expect(try fleet.answer(to: id).result?["accepted"] == 1) }
            await fleet.stop()
        }
        #expect(try fleet.number("select sum(messages)::int8 from tenantry.tenant_usage") == Int64(sent))
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
