internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker whose tables are missing", .serialized)
    struct Failure {
        @Test(
            "waits for the table that is missing, and names it; when it is there again, the job is done, and no attempt was counted",
            arguments: ["directory", "suspects"])
        func missingTable(table: String) async throws {
            let stage = try await Stage()
            try stage.post(
                "account.create", #"{"slug":"late","display_name":"Late","plan":"enterprise"}"#, token: stage.operatorToken,
                id: "job", replyTo: stage.answers)
            try stage.confirm()
            // So that the job comes back, which is what the quarantine asks about.
            let killed = try WorkerProcess(broker: stage.brokerURL, database: "postgresql://nobody@127.0.0.1:1/none")
            try await eventually("the job is in hand") { try stage.ready(Topology.controlQueue) == 0 }
            try await killed.kill()
            try await eventually("the broker has it back") { try stage.ready(Topology.controlQueue) == 1 }

            try stage.run("alter table tenantry.\(table) rename to elsewhere")
            let worker = try stage.startWorker()
            try await eventually("it says what is missing") {
                worker.log.contains("\"tenantry.\(table)\" does not exist")
            }
            #expect(worker.isRunning)
            try stage.run("alter table tenantry.elsewhere rename to \(table)")
            let answer = try await stage.answer(to: "job", in: stage.answers)
            #expect(answer.status == .succeeded && !answer.duplicate)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
