internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A job that kills its worker", .serialized)
    struct CrashLoop {
        /// More deaths than the contract allows a job, and room for those that the counting takes longer.
        private static let mostStarts = 12

        @Test(
            "A job that kills its worker every time is given up after more than five deaths, and none of its neighbours with it",
            arguments: ["before", "after"])
        func killer(point: String) async throws {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            try #expect(await setup.terminate(within: 30) == .exit(0))

            // In front of it, behind it, in other lanes of its family and in other families; some take longer than the killer.
            for number in 0..<60 {
                let id = number == 30 ? "doom-\(point)-1" : number.isMultiple(of: 20) ? "slow-\(number)" : "j\(number)"
                try stage.post("conversation.log", TestFleet.log(["m\(number)"]), tenant: "shop", token: token, id: id)
            }
            for number in 0..<3 {
                try stage.post(
                    "corpus.remove", #"{"external_ids":["none"]}"#, tenant: "shop", token: token, id: "slow-remove-\(number)")
            }
            try stage.confirm()

            var deaths = 0
            var letters: [String] = []
            while letters.isEmpty {
                try #require(deaths <= Self.mostStarts, "still not given up")
                let worker = try stage.startWorker(.doomed)
                try await eventually("the worker dies, or the job is given up") {
                    letters += try stage.takeDeadLetters()
                    return !worker.isRunning || !letters.isEmpty
                }
                guard letters.isEmpty else {
                    try await eventually("the neighbours are done") {
                        try stage.number("select count(*) from tenant_shop.messages") == 59
                            && stage.number("select count(*) from tenantry.inbox where job_id like 'slow-remove-%'") == 3
                    }
                    try #expect(await worker.terminate(within: 30) == .exit(0))
                    break
                }
                try #expect(await worker.ending(within: 1) == .signal(9))
                deaths += 1
            }
            letters += try stage.takeDeadLetters()
            #expect(letters == ["doom-\(point)-1 crash_loop"])
            #expect(deaths == 6)
            try #expect(stage.number("select count(*) from tenantry.suspects") == 0)
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.ready("retried") == 0)
        }

        @Test("Jobs that were merely prefetched when their worker died, seven times, are all done")
        func prefetched() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 1, tenants: 5, jobs: 2_000)
            try traffic.send(on: stage)
            for death in 1...7 {
                // Its database is nowhere: it takes jobs, and begins none.
                let worker = try WorkerProcess(broker: stage.brokerURL, database: "postgresql://nobody@127.0.0.1:1/none")
                try await eventually("worker \(death) holds jobs") {
                    try stage.ready(Family.conversation.queue) <= traffic.jobs.count - 100
                }
                try await worker.kill()
                try await eventually("the broker has them back") {
                    try stage.ready(Family.conversation.queue) >= traffic.jobs.count
                }
            }
            let worker = try stage.startWorker()
            try await traffic.settle(on: stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try traffic.expectExact(on: stage)
        }
    }
}
