internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker whose own statements are wrong", .serialized)
    struct Failure {
        @Test(
            "ends with 70 and names the table that is missing; its job stays in the queue, and the next worker does it",
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
            let failing = try stage.startWorker()
            try #expect(await failing.ending(within: 60) == .exit(70))
            #expect(failing.log.contains("lane control cannot go on"))
            #expect(failing.log.contains("\"tenantry.\(table)\" does not exist"))
            try await eventually("the job is back") { try stage.ready(Topology.controlQueue) == 1 }

            try stage.run("alter table tenantry.elsewhere rename to \(table)")
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "job", in: stage.answers)
            #expect(answer.status == .succeeded && !answer.duplicate)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
