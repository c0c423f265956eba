internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed while it applies a template", .serialized)
    struct TemplateKill {
        /// Enough documents that a killer finds some of them written.
        private static let documents = 200

        private func stage() async throws -> (stage: Stage, token: String) {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            let documents = (0..<Self.documents).map { number in
                #"{"external_id":"d\#(number)","title":"t","media_type":"text/plain","content":"Document number \#(number)."}"#
            }
            let template = #"{"name":"t","settings":{"tone":"kind"},"documents":[\#(documents.joined(separator: ","))]}"#
            #expect(try await stage.ask("template.save", template, token: token).status == .succeeded)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            return (stage, token)
        }

        /// Documents, chunks, settings, and what is booked for them.
        private func held(on stage: Stage) throws -> [Int] {
            try [
                "select count(*) from tenant_shop.documents", "select count(*) from tenant_shop.chunks",
                "select count(*) from tenant_shop.settings",
                "select documents from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'",
            ].map { try stage.number($0) }
        }

        @Test(
            "before its effects, or between them and their commit: the tenant has nothing of it, and the next worker gives it all, once",
            arguments: ["doom-before-apply", "doom-after-apply"])
        func beforeCommit(id: String) async throws {
            let (stage, token) = try await stage()
            try stage.post("template.apply", #"{"template":"t"}"#, tenant: "shop", token: token, id: id, replyTo: stage.answers)
            try stage.confirm()
            let doomed = try stage.startWorker(.doomed)
            try #expect(await doomed.ending(within: 60) == .signal(9))
            try #expect(held(on: stage) == [0, 0, 0, 0])
            try await expectDone(id, on: stage)
        }

        @Test(
            "at any moment between: the tenant has nothing of it, and the next worker gives it all, once",
            arguments: ["tenantry.tenant_usage", "tenant_shop.settings", "tenant_shop.documents", "tenant_shop.chunks"])
        func atAnyMoment(table: String) async throws {
            let (stage, token) = try await stage()
            // Whoever writes to the table waits, with all that was written before it in hand.
            try stage.run("begin; lock table \(table) in share mode")
            try stage.post(
                "template.apply", #"{"template":"t"}"#, tenant: "shop", token: token, id: "apply", replyTo: stage.answers)
            try stage.confirm()
            let killed = try stage.startWorker()
            try await eventually("the worker waits for \(table)") {
                try stage.number("select count(*) from pg_locks where not granted and relation = '\(table)'::regclass") > 0
            }
            try await killed.kill()
            try stage.run("rollback")
            try #expect(held(on: stage) == [0, 0, 0, 0])
            try await expectDone("apply", on: stage)
        }

        private func expectDone(_ id: String, on stage: Stage) async throws {
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: id, in: stage.answers)
            #expect(answer.status == .succeeded && !answer.duplicate)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(held(on: stage) == [Self.documents, Self.documents, 1, Self.documents])
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
