internal import AMQP
internal import Contract
internal import Families
internal import Jobs
internal import Logging
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// A worker that cannot go on.
@Suite(.serialized) struct WorkerFailureTests {
    private func worker(on fleet: TestFleet) throws -> Worker {
        var options = FleetOptions(
            broker: try BrokerURL(fleet.brokerURL), database: ConnectionOptions(url: fleet.databaseURL))
        options.ladder = TestFleet.ladder
        return Worker(
            options, families: Families.all(Families.Options()), duties: [],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test("A lane whose own statement is wrong fails; the worker stops its other lanes, is not ready, and says what is wrong")
    func lane() async throws {
        let fleet = try await TestFleet()
        let worker = try worker(on: fleet)
        let running = Task { try await worker.run() }
        try await eventually("all lanes run") { worker.health.isReady }
        try fleet.database.run(
            script: """
                alter table tenantry.directory rename to elsewhere;
                create view tenantry.directory as select * from tenantry.elsewhere where 1 / (version * 0) = 1
                """)
        try fleet.send(
            "account.create", #"{"slug":"acme","display_name":"Acme","plan":"pro"}"#, token: fleet.operatorToken, id: "job")

        let failure = await #expect(throws: WorkerFailure.self) { try await running.value }
        #expect(failure?.thread == "lane control")
        #expect(try #require(failure).description.contains("division by zero"))
        #expect((failure?.cause as? PostgresError)?.sqlState == "22012")
        #expect(worker.health.lanes["control"] == .failed && !worker.health.isReady)
        #expect(worker.health.lanes.values.count { $0 == .stopped } == worker.laneCount - 1)

        try fleet.database.run(script: "drop view tenantry.directory; alter table tenantry.elsewhere rename to directory")
        try fleet.startWorker()
        #expect(try fleet.answer(to: "job").status == .succeeded)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A worker whose heartbeat cannot be written ends, too")
    func heartbeat() async throws {
        let fleet = try await TestFleet()
        let worker = try worker(on: fleet)
        let running = Task { try await worker.run() }
        try await eventually("it has a row") { try fleet.number("select count(*) from tenantry.workers") == 1 }
        try fleet.database.run(script: "alter table tenantry.workers add constraint nobody check (pid < 0) not valid")
        let failure = await #expect(throws: WorkerFailure.self) { try await running.value }
        #expect(failure?.thread == "duties")
        #expect(try #require(failure).description.contains("nobody"))
        #expect(worker.health.lanes.values.allSatisfy { $0 == .stopped })
    }
}
