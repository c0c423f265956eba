internal import AMQP
internal import Contract
internal import Embedded
internal import Families
internal import Foundation
internal import Glibc
internal import Jobs
internal import Logging
internal import Postgres
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// Jobs that take long, on a fleet with one lane a family. How long is up to the test, which holds what they wait for.
@Suite(.serialized) struct LongJobTests {
    /// The real handlers, but jobs whose ids begin with `held-` wait for a lock, and those with `busy-` compute for a while.
    private final class HeldHandler: JobHandler {
        private let real: any JobHandler
        private let stage: Stage
        var kind: Kind { real.kind }
        var batchLimit: Int { real.batchLimit }
        var runsApart: Bool { real.runsApart }

        init(_ real: any JobHandler, _ stage: Stage) {
            self.real = real
            self.stage = stage
        }

        func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome] {
            stage.begun.withLock { $0 += jobs.map(\.id) }
            if jobs.contains(where: { $0.id.hasPrefix("held-") }) {
                _ = try database.query("select pg_advisory_xact_lock_shared(42)")
            }
            if jobs.contains(where: { $0.id.hasPrefix("busy-") }) { usleep(4_000_000) }
            return try real.handle(jobs, on: &database)
        }
    }

    private final class Stage: Sendable {
        /// The ids of the jobs that were begun, in order.
        let begun = Mutex<[String]>([])

        func count(_ id: String) -> Int { begun.withLock { $0.count { $0 == id } } }
    }

    private func start(_ fleet: TestFleet, jobSeconds: Double, mostJobTimes: Double = 100_000, heartbeatSeconds: Int = 30) throws
        -> (
            Worker, Stage, Task<Void, any Error>
        )
    {
        let stage = Stage()
        var options = FleetOptions(broker: try BrokerURL(fleet.brokerURL), database: ConnectionOptions(url: fleet.databaseURL))
        // What holds jobs here is a lock, and is to be waited for.
        options.lockMilliseconds = 600_000
        options.ladder = TestFleet.ladder
        options.lanes = [.account: 1, .tenant: 1, .conversation: 1]
        options.jobSeconds = jobSeconds
        options.mostJobTimes = mostJobTimes
        options.heartbeatSeconds = heartbeatSeconds
        let families = Families.all(Families.Options()).map { family in
            JobFamily(family.family) { family.makeHandlers().map { HeldHandler($0, stage) } }
        }
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let worker = Worker(options, families: families, duties: [], logger: logger)
        return (worker, stage, Task { try await worker.run() })
    }

    private static let token = #"{"name":"t","scopes":["corpus:write"]}"#

    private func hold(_ fleet: TestFleet) throws { _ = try fleet.database.query("select pg_advisory_lock(42)") }
    private func release(_ fleet: TestFleet) throws { _ = try fleet.database.query("select pg_advisory_unlock(42)") }
    private func tokens(_ fleet: TestFleet) throws -> Int64 {
        try fleet.number("select count(*) from tenantry.credentials where name = 't'")
    }

    private func expectEmpty(_ fleet: TestFleet) throws {
        for family in [Family.tenant, .account] { #expect(try fleet.broker.inspectQueue(family.queue)?.messageCount == 0) }
    }

    @Test("What takes long goes on apart: others are answered before it ends, and it is acknowledged by itself")
    func apart() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 0.2)
        let acme = try fleet.makeAccount("acme")
        let other = try fleet.makeAccount("other")
        try hold(fleet)
        try fleet.send("token.issue", Self.token, token: acme, id: "held-1")
        for number in 1...20 {
            #expect(try fleet.ask("token.issue", Self.token, token: other, id: "n\(number)").status == .succeeded)
        }
        #expect(stage.count("held-1") == 1)
        #expect(try tokens(fleet) == 20)
        try release(fleet)
        let answer = try fleet.answer(to: "held-1")
        #expect(answer.status == .succeeded && !answer.duplicate)
        #expect(try fleet.ask("token.issue", Self.token, token: other).status == .succeeded)
        worker.drain()
        try await running.value
        #expect(stage.count("held-1") == 1)
        #expect(try tokens(fleet) == 22)
        #expect(try fleet.takeDeadLetters().isEmpty)
        try expectEmpty(fleet)
    }

    @Test("A handler that computes for longer than a heartbeat lasts keeps its connection")
    func heartbeats() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 3_600, heartbeatSeconds: 1)
        let acme = try fleet.makeAccount("acme")
        #expect(try fleet.ask("token.issue", Self.token, token: acme, id: "busy-1").duplicate == false)
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        worker.drain()
        try await running.value
        #expect(stage.count("busy-1") == 1)
    }

    @Test("A transaction of ten times as long is cancelled; the third time the job is too slow, and has had no effect")
    func tooSlow() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 0.05, mostJobTimes: 10)
        let acme = try fleet.makeAccount("acme")
        try hold(fleet)
        try fleet.send("token.issue", Self.token, token: acme, id: "held-1") {
            // What a producer says about it is not believed beyond reason.
            $0.headers["x-tenantry-cancellations"] = .int(-5)
        }
        let answer = try fleet.answer(to: "held-1")
        #expect(answer.error?.code == .tooSlow)
        #expect(stage.count("held-1") == 3)
        try fleet.send("token.issue", Self.token, token: acme, id: "held-2") {
            $0.headers["x-tenantry-cancellations"] = .int(.max)
        }
        #expect(try fleet.answer(to: "held-2").error?.code == .tooSlow)
        #expect(stage.count("held-2") == 1)
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        try release(fleet)
        worker.drain()
        try await running.value
        #expect(try tokens(fleet) == 1)
        let letters = try fleet.takeDeadLetters()
        #expect(letters.map(\.code) == ["too_slow", "too_slow"])
        #expect(letters[0].attempts == 3)
        try expectEmpty(fleet)
    }

    @Test("A batch that is cancelled is taken apart, until the job that waits is alone")
    func batch() async throws {
        let fleet = try await TestFleet()
        let (worker, _, running) = try start(fleet, jobSeconds: 0.05, mostJobTimes: 10)
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("acme-shop", token: acme)
        // Held up, so that the next ones make one batch.
        try hold(fleet)
        try fleet.send("conversation.log", TestFleet.log(["m0"]), tenant: "acme-shop", token: acme, id: "held-0")
        for number in 1...9 {
            let id = number == 5 ? "held-5" : "n\(number)"
            try fleet.send("conversation.log", TestFleet.log(["m\(number)"]), tenant: "acme-shop", token: acme, id: id)
        }
        for number in [1, 2, 3, 4, 6, 7, 8, 9] { #expect(try fleet.answer(to: "n\(number)").result?["accepted"] == 1) }
        #expect(try fleet.answer(to: "held-5").error?.code == .tooSlow)
        #expect(try fleet.answer(to: "held-0").error?.code == .tooSlow)
        worker.drain()
        try await running.value
        #expect(try fleet.number("select count(*) from tenant_acme_shop.messages") == 8)
    }

    @Test("Where there is no room for more long jobs they come again later, without an attempt being counted")
    func noRoom() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 0.2)
        let acme = try fleet.makeAccount("acme")
        try hold(fleet)
        let held = (0...LongJobs.mostPerLane).map { "held-\($0)" }
        for id in held { try fleet.send("token.issue", Self.token, token: acme, id: id) }
        try await eventually("one of them comes again and again") { held.contains { stage.count($0) > 7 } }
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        try release(fleet)
        for id in held { #expect(try fleet.answer(to: id).status == .succeeded) }
        worker.drain()
        try await running.value
        #expect(try tokens(fleet) == Int64(held.count + 1))
        #expect(try fleet.takeDeadLetters().isEmpty)
        try expectEmpty(fleet)
    }

    @Test("A drain waits for what is apart")
    func drain() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 0.2)
        let acme = try fleet.makeAccount("acme")
        try hold(fleet)
        try fleet.send("token.issue", Self.token, token: acme, id: "held-1")
        try await eventually("it is begun") { stage.count("held-1") == 1 }
        // Answered, so the first has gone apart.
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        worker.drain()
        try await eventually("the other lanes have ended") { worker.health.lanes.values.contains(.stopped) }
        #expect(worker.health.lanes["tenant-0"] == .running)
        try release(fleet)
        try await running.value
        #expect(try fleet.answer(to: "held-1").duplicate == false)
        #expect(stage.count("held-1") == 1)
        try expectEmpty(fleet)
    }

    @Test("A broker that is lost while something is apart loses nothing: it is delivered again, answered, and done once")
    func brokerLost() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 0.2)
        let acme = try fleet.makeAccount("acme")
        try hold(fleet)
        let answers = "acme.answers"
        _ = try fleet.broker.declareQueue(answers)
        try fleet.send("token.issue", Self.token, token: acme, id: "held-1") { $0.replyTo = answers }
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        let host = try #require(URLComponents(string: fleet.brokerURL)?.path.dropFirst().removingPercentEncoding)
        _ = try await TestServers.shared.broker().run(ctl: ["close_all_connections", "--vhost", host, "a test"])
        fleet.broker = try AMQP.Connection(BrokerURL(fleet.brokerURL), name: "test")
        try await eventually("it is delivered again") { stage.count("held-1") > 1 }
        try release(fleet)
        try await eventually("it is answered") { try fleet.broker.inspectQueue(answers)?.messageCount == 1 }
        worker.drain()
        try await running.value
        #expect(try tokens(fleet) == 2)
        try expectEmpty(fleet)
    }

    @Test("Passwords are hashed apart: what was sent behind them is answered before them")
    func passwords() async throws {
        let fleet = try await TestFleet()
        let (worker, stage, running) = try start(fleet, jobSeconds: 60)
        let acme = try fleet.makeAccount("acme")
        func administrator(_ number: Int) -> String {
            #"{"email":"a\#(number)@example.com","display_name":"A","role":"account_admin","password":"correct horse battery"}"#
        }
        try hold(fleet)
        // More than wait in hand: some of them wait on the ladder.
        let ids = (0..<SlowKinds.most + 3).map { "held-\($0)" }
        for (number, id) in ids.enumerated() { try fleet.send("admin.create", administrator(number), token: acme, id: id) }
        #expect(try fleet.ask("token.issue", Self.token, token: acme).status == .succeeded)
        #expect(stage.begun.withLock { $0.count { $0.hasPrefix("held-") } } <= 1)
        try release(fleet)
        for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
        worker.drain()
        try await running.value
        #expect(try fleet.number("select count(*) from tenantry.administrators") == Int64(ids.count))
        #expect(try fleet.takeDeadLetters().isEmpty)
        try expectEmpty(fleet)
    }

    private typealias SlowKinds = Lane.SlowKinds
}
