internal import Contract
internal import Glibc
internal import Synchronization
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed on an event's way to a webhook", .serialized)
    struct WebhookKill {
        private static let environment = ["TENANTRY_WEBHOOKS_ALLOW_LOOPBACK": "true"]

        /// What becomes of the worker when it calls.
        private final class Killer: Sendable {
            private let victim = Mutex<Int32?>(nil)

            func aim(at process: Int32) { victim.withLock { $0 = process } }

            /// - Returns: whether there was one to kill.
            func strike() -> Bool {
                victim.withLock { victim in
                    defer { victim = nil }
                    guard let process = victim else { return false }
                    return kill(process, SIGKILL) == 0
                }
            }
        }

        @Test("between the commit and the first attempt: the next worker makes it")
        func beforeAttempt() async throws {
            let stage = try await Stage()
            let receiver = try WebhookReceiver()
            defer { receiver.stop() }
            // Those have no part that calls.
            let setup = try stage.startWorker(.doomed)
            let token = try await prepare(stage, receiver)
            let made = try await stage.ask("tenant.create", #"{"slug":"shop","display_name":"Shop"}"#, token: token)
            #expect(made.status == .succeeded)
            try await setup.kill()
            #expect(receiver.calls.isEmpty)

            let worker = try stage.startWorker(.tenantry, Self.environment)
            try await eventually("it came") { receiver.calls.count == 1 }
            try await expectNoted(stage, attempts: 1)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            #expect(receiver.calls.count == 1)
        }

        @Test(
            "while it calls, or before it has noted the answer: the event comes again, under its one id",
            arguments: [true, false])
        func duringAttempt(isAnswered: Bool) async throws {
            let stage = try await Stage()
            let killer = Killer()
            let receiver = try WebhookReceiver { _ in
                guard killer.strike() else { return .answer(200) }
                return isAnswered ? .answer(200) : .hangUp
            }
            defer { receiver.stop() }
            let doomed = try stage.startWorker(.tenantry, Self.environment)
            let token = try await prepare(stage, receiver)
            killer.aim(at: doomed.pid)
            let made = try await stage.ask("tenant.create", #"{"slug":"shop","display_name":"Shop"}"#, token: token)
            #expect(made.status == .succeeded)
            try #expect(await doomed.ending(within: 60) == .signal(9))
            #expect(receiver.calls.count == 1)

            // What the dead one had in its hands is free when its lease is over, which the test does not wait for.
            try stage.run("update tenantry.webhook_lines set until = now()")
            let worker = try stage.startWorker(.tenantry, Self.environment)
            try await eventually("it came again") { receiver.calls.count == 2 }
            try await expectNoted(stage, attempts: 1)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            #expect(Set(receiver.calls.map(\.id)).count == 1)
            #expect(receiver.calls.allSatisfy { $0.json["type"] == "tenantry.tenant.created" })
        }

        private func prepare(_ stage: Stage, _ receiver: WebhookReceiver) async throws -> String {
            let token = try await stage.makeAccount("acme")
            let made = try await stage.ask(
                "webhook.create", #"{"url":"\#(receiver.url)/x","events":["tenant.created"]}"#, token: token)
            #expect(made.status == .succeeded)
            return token
        }

        private func expectNoted(_ stage: Stage, attempts: Int) async throws {
            try await eventually("it is noted") {
                try stage.table("select state, attempt::text, status::text from tenantry.webhook_deliveries")
                    == [["succeeded", "\(attempts)", "200"]]
            }
        }
    }
}
