internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What one job may cost its neighbours.
    @Suite struct HostileJobTests {
        /// Of the memory that the worker may write to, and of what it may have in use.
        private static let mostBytes = 512 << 20

        /// Jobs of another account, one for each family.
        private static let good: [(kind: String, body: String, tenant: String?)] = [
            ("conversation.log", TestFleet.log(["good"]), "neighbour"),
            (
                "corpus.ingest", #"{"documents":[{"external_id":"g","title":"G","media_type":"text/plain","content":"Open."}]}"#,
                "neighbour"
            ),
            ("tenant.update", #"{"settings":{"greeting":"hello"}}"#, "neighbour"),
            ("token.issue", #"{"name":"good","scopes":["corpus:write"]}"#, nil), ("token.revoke", #"{"name":"spare"}"#, nil),
        ]

        @Test("None of the hostile jobs kills a worker of 512 MiB, holds up its neighbours, or is lost")
        func table() async throws {
            let stage = try await Stage()
            let worker = try stage.startWorker(mostBytes: Self.mostBytes)
            let hostile = try await stage.makeAccount("hostile")
            let neighbour = try await stage.makeAccount("neighbour")
            try await stage.makeTenant("prey", token: hostile)
            try await stage.makeTenant("neighbour", token: neighbour)
            var rows: [String] = []
            for (number, job) in HostileJob.all.enumerated() {
                let spare = try await stage.ask(
                    "token.issue", #"{"name":"spare","scopes":["corpus:write"]}"#, token: neighbour, id: "spare-\(number)")
                try #require(spare.status == .succeeded, "\(spare)")
                let began = Date()
                for (index, body) in job.bodies.enumerated() {
                    try stage.post(
                        job.kind, body, tenant: job.tenant, token: job.isStrangers ? "nobody.secret" : hostile,
                        id: "hostile-\(number)-\(index)", replyTo: stage.answers, headers: job.headers)
                }
                for (index, good) in Self.good.enumerated() {
                    let body = good.kind == "conversation.log" ? TestFleet.log(["good-\(number)"]) : good.body
                    try stage.post(
                        good.kind, body, tenant: good.tenant, token: neighbour, id: "good-\(number)-\(index)",
                        replyTo: stage.answers)
                }
                try stage.confirm()
                let order = try await answers(job.bodies.count + Self.good.count, stage, worker)
                let ofHostile = order.filter { $0.answer.jobID.hasPrefix("hostile") }
                let ofGood = order.filter { $0.answer.jobID.hasPrefix("good") }
                #expect(ofGood.count == Self.good.count, "\(job.name)")
                #expect(ofGood.allSatisfy { $0.answer.status == .succeeded }, "\(job.name): \(ofGood)")
                #expect(ofHostile.count == job.bodies.count, "\(job.name)")
                // What grows is taken until it is too large.
                #expect(
                    ofHostile.last?.answer.error?.code == job.code,
                    "\(job.name): \(String(describing: ofHostile.last?.answer.error))")
                if job.isLong {
                    #expect(order.last?.answer.jobID.hasPrefix("hostile") == true, "\(job.name): its neighbours are before it")
                }
                func seconds(_ date: Date?) -> String { date.map { String(format: "%.2f", $0.timeIntervalSince(began)) } ?? "-" }
                rows.append(
                    "\(job.name): \(seconds(ofHostile.last?.at)) s, neighbours \(seconds(ofGood.last?.at)) s, peak so far "
                        + "\(try worker.peakBytes() >> 20) MiB")
            }
            let peak = try worker.peakBytes()
            #expect(peak < Self.mostBytes, "\(peak >> 20) MiB")
            try #expect(await worker.terminate(within: 60) == .exit(0))
            try #expect(stage.jobsLeft() == 0)
            // None of the times is asserted.
            if HostileJob.isWhole { print(rows.joined(separator: "\n")) }
        }

        /// The next answers, in the order in which they come.
        private func answers(
            _ count: Int, _ stage: Stage, _ worker: WorkerProcess
        ) async throws -> [(answer: Answer, at: Date)] {
            var answers: [(answer: Answer, at: Date)] = []
            try await eventually("\(count) answers", within: 240) {
                guard worker.isRunning else { throw TestFailure("the worker ended: \(worker.log.suffix(3_000))") }
                while let delivery = try stage.take(from: stage.answers) {
                    answers.append((try Answer(parsing: Array(delivery.body)), Date()))
                }
                return answers.count >= count
            }
            return answers
        }
    }
}
