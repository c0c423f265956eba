internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import TestSupport
internal import Testing

/// One run: producers of every kind of jobs, workers, faults, and a look at everything afterwards.
final class RandomRun {
    private let servers: FaultServers
    private let stage: Stage
    private let seed: UInt64
    private let logs: Int
    private var histories: [History] = []

    private static let alerts = "subscriber"
    private static let events = "listener"

    init(_ servers: FaultServers, seed: UInt64, logs: Int) async throws {
        self.servers = servers
        self.seed = seed
        self.logs = logs
        stage = try await Stage(broker: servers.brokerURL, database: servers.databaseURL)
    }

    /// - Returns: a line of figures.
    func run(
        _ faults: [RandomFault], secondsEach: Double, progressSeconds: Double, _ random: inout SeededGenerator
    ) async throws -> String {
        try stage.subscribe(Self.alerts)
        try stage.subscribe(Self.events, exchange: Topology.eventsExchange)
        let traffic = try await prepare()
        let fleet = try RandomFaults(stage, servers)
        try fleet.startWorkers(3)
        let broker = servers.brokerWay.url(instead: stage.brokerURL)
        // One clock is right, one is slow, one is fast; each within the billing period.
        let seconds = Double(faults.count) * secondsEach * 2
        let producers = try [0, -5 * 3_600, 20 * 3_600].enumerated().map { part, skew in
            try LogProducer(traffic, part: part, of: 3, skewSeconds: Int64(skew), seconds: seconds, broker: broker)
        }
        defer { for producer in producers { producer.stop() } }
        do {
            let healed = try await storm(faults, secondsEach, fleet, &random)
            try await settle(traffic, producers, until: healed + .seconds(progressSeconds))
            let settled = (ContinuousClock.now - healed).formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1)))
            try await fleet.drain()
            let jobs = histories.reduce(0) { $0 + $1.told.count }
            try expectExact(traffic, producers, loses: faults.contains(.eventsExchangeDeleted))
            let doubts = producers.reduce(0) { $0 + $1.doubts } + histories.reduce(0) { $0 + $1.doubts }
            return "\(traffic.jobs.count + jobs) jobs, \(doubts) times in doubt, quiet after \(settled)"
        } catch {
            let queues = try? await servers.node.run(
                ctl: ["list_queues", "-p", "tenantry", "name", "messages", "messages_ready", "messages_unacknowledged"])
            throw TestFailure("\(error)\n\(queues ?? "")\n\(fleet.logs)")
        }
    }

    private func prepare() async throws -> Traffic {
        let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 8, jobs: logs)
        for account in traffic.accounts { _ = try stage.broker.declareQueue(Traffic.answers(of: account.slug)) }
        for tenant in traffic.tenants {
            try stage.run(
                "alter table tenant_\(tenant.slug).messages add check (content <> '\(LogProducer.refusedContent)')")
        }
        let worker = try stage.startWorker()
        for name in ["hanna", "henry"] {
            let token = try await stage.makeAccount(name)
            // There since long, so that a month of it can be closed.
            try stage.run("update tenantry.accounts set created_at = '2020-01-01T00:00:00Z' where slug = '\(name)'")
            histories.append(
                try History(
                    account: name, credential: token, operatorToken: stage.operatorToken,
                    broker: servers.brokerWay.url(instead: stage.brokerURL), seed: seed))
        }
        guard try await worker.terminate(within: 30) == .exit(0) else {
            throw TestFailure("the worker did not end well:\n\(worker.log)")
        }
        return traffic
    }

    /// Faults one after the other, now and then two at once, while each customer goes through a round with each of them.
    ///
    /// - Returns: when the last fault was over.
    private func storm(
        _ faults: [RandomFault], _ secondsEach: Double, _ fleet: RandomFaults, _ random: inout SeededGenerator
    ) async throws -> ContinuousClock.Instant {
        var healed = ContinuousClock.now
        for (round, fault) in faults.enumerated() {
            let until = ContinuousClock.now + .seconds(secondsEach)
            let running = histories.map { history in
                let history = Unchecked(history)
                return Task { try await history.value.go(round) }
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0..<400, using: &random)))
            if !fault.isOfOneWorker, Int.random(in: 0..<3, using: &random) == 0 {
                let seed = random.next()
                let other = Unchecked(fleet)
                let second = Task {
                    var random = SeededGenerator(seed: seed)
                    try await other.value.happen(.workerKilled, &random)
                }
                try await fleet.happen(fault, &random)
                try await second.value
            } else {
                try await fleet.happen(fault, &random)
            }
            healed = ContinuousClock.now
            for task in running { try await task.value }
            if round < faults.count - 1 { try await Task.sleep(until: until) }
        }
        return healed
    }

    /// Waits until all producers are done and nothing waits anywhere.
    private func settle(
        _ traffic: Traffic, _ producers: [LogProducer], until deadline: ContinuousClock.Instant
    ) async throws {
        var waiting = ""
        while true {
            do {
                waiting = try waits(traffic, producers)
                // What a delay queue keeps for its own retry is neither ready nor in hand.
                if waiting.isEmpty { waiting = try await messagesKept() }
            } catch {
                // The look itself may have lost its connection to what the last fault was about.
                waiting = "\(error)"
                try? stage.reconnectDatabase()
                try? stage.reconnectBroker()
            }
            if waiting.isEmpty { return }
            guard ContinuousClock.now < deadline else { throw TestFailure("not quiet in time: \(waiting)") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func waits(_ traffic: Traffic, _ producers: [LogProducer]) throws -> String {
        guard producers.allSatisfy(\.isOver) else { return "producers" }
        let counted = try traffic.counted(on: stage)
        guard counted >= traffic.messages else { return "\(counted) of \(traffic.messages) messages are counted" }
        guard try stage.jobsLeft() == 0 else { return "\(try stage.jobsLeft()) jobs wait" }
        for table in ["usage_deltas", "outbox", "postponed_messages"] {
            let rows = try stage.number("select count(*) from tenantry.\(table)")
            if rows > 0 { return "\(rows) rows in \(table)" }
        }
        return ""
    }

    /// The fleet's queues that hold something, the dead letters' aside.
    private func messagesKept() async throws -> String {
        try await servers.node.run(ctl: ["list_queues", "-p", "tenantry", "name", "messages"])
            .split(separator: "\n").filter { line in
                let words = line.split(separator: "\t")
                return words.count == 2 && words[0].hasPrefix("tenantry.") && words[0] != Topology.deadQueue && words[1] != "0"
            }.joined(separator: ", ")
    }

    // MARK: What came of it

    private func expectExact(_ traffic: Traffic, _ producers: [LogProducer], loses losesEvents: Bool) throws {
        try stage.reconnectBroker()
        try traffic.expectCounted(on: stage, alertsIn: Self.alerts)
        try expectAnswers(traffic, rejected: Set(producers.flatMap(\.rejected)))
        for history in histories { try history.expectExact(on: stage) }
        try expectDead(rejected: producers.flatMap(\.rejected))
        try expectEvents(losesEvents)
        try #expect(stage.jobsLeft() == 0)
    }

    /// A message was accepted for one job alone, and nobody was told anything else of a job later than at first.
    private func expectAnswers(_ traffic: Traffic, rejected: Set<String>) throws {
        var accepted: [String: Set<String>] = [:]
        var messages: [String: String] = [:]
        for job in traffic.jobs { messages[job.id] = "\(job.tenant)/\(job.message)" }
        for account in traffic.accounts {
            for delivery in try stage.takeAll(from: Traffic.answers(of: account.slug)) {
                let answer = try Answer(parsing: Array(delivery.body))
                if rejected.contains(answer.jobID) {
                    #expect(answer.error?.code == .invalidPayload, "\(answer)")
                } else if let message = messages[answer.jobID] {
                    #expect(answer.status == .succeeded, "\(answer)")
                    if answer.result?["accepted"] == .int(1) { accepted[message, default: []].insert(answer.jobID) }
                } else {
                    Issue.record("an answer to nobody's job: \(answer)")
                }
            }
        }
        #expect(accepted.values.allSatisfy { $0.count == 1 }, "messages accepted for several jobs")
    }

    /// All that was rejected is among the dead, in the queue and as a row, and nothing else is.
    private func expectDead(rejected logs: [String]) throws {
        var allowed: [String: Set<String>] = [:]
        for id in logs { allowed[id] = [ErrorCode.invalidPayload.rawValue] }
        var rejected = Set(logs)
        for history in histories {
            allowed.merge(history.deadCodes) { $0.union($1) }
            rejected.formUnion(history.told.filter { $0.answer.status == .rejected }.map(\.id))
        }
        let letters = try stage.takeAll(from: Topology.deadQueue).map {
            [$0.messageID ?? "?", $0.headerText(Header.errorCode.constant) ?? "?"]
        }
        let rows = try stage.table("select job_id, code from tenantry.dead_letters")
        for (place, dead) in [("queue", letters), ("table", rows)] {
            #expect(rejected.subtracting(dead.map { $0[0] }) == [], "missing in the \(place) of dead letters")
            for letter in dead where allowed[letter[0]]?.contains(letter[1]) != true {
                Issue.record("\(letter) is in the \(place) of dead letters")
            }
        }
    }

    /// Each life-cycle event that is called for was heard of under one id, and none else. Without the exchange for a while, some are lost.
    private func expectEvents(_ losesEvents: Bool) throws {
        var expected: [String: Int] = [:]
        for history in histories { expected.merge(history.events) { $1 + $0 } }
        var ids: [String: Set<String>] = [:]
        let known = Set(histories.map(\.account))
        for event in try stage.takeAll(from: Self.events) where !event.routingKey.hasPrefix("job.") {
            let words = event.routingKey.split(separator: ".").map { String($0) }
            // The idle ones come by themselves; other accounts' are of the preparation.
            guard words.count > 2, known.contains(words[2]), words[0] != "activity" else { continue }
            ids[event.routingKey, default: []].insert(event.messageID ?? "")
        }
        let heard = ids.mapValues(\.count)
        if losesEvents {
            #expect(heard.allSatisfy { $0.value <= expected[$0.key] ?? 0 }, "events that nothing called for")
        } else {
            #expect(heard == expected, "events")
        }
    }
}

/// A value that one task at a time uses.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
