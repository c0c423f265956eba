internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed in the middle of billing.close", .serialized)
    struct BillingKill {
        @Test("before its commit: nothing is there, and the next worker makes it, once")
        func beforeCommit() async throws {
            let billing = try await BillingStage(["acct_one"])
            let stage = billing.stage
            try billing.use("shop-0", "2024-02", messages: 10)
            try stage.post(
                "billing.close", #"{"period":"2024-02"}"#, token: billing.token, id: "doom-after-close", replyTo: stage.answers)
            try stage.confirm()
            let doomed = try stage.startWorker(.doomed)
            try #expect(await doomed.ending(within: 60) == .signal(9))
            try #expect(stage.number("select count(*) from tenantry.invoices") == 0)
            try #expect(stage.number("select count(*) from tenantry.accounts where closed_through > '-infinity'") == 0)

            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "doom-after-close", in: stage.answers)
            #expect(answer.status == .succeeded && answer.result?["invoice_count"] == 2, "\(answer)")
            try expectOnce(["acme.2024-02", "acme.shop-0.2024-02"], lines: 3, on: stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test("between two accounts: what was made stays, and the next worker makes the rest")
        func betweenAccounts() async throws {
            let billing = try await BillingStage(["acct_one"])
            let stage = billing.stage
            let setup = try stage.startWorker()
            for account in ["bravo", "charlie"] { _ = try await stage.makeAccount(account) }
            try #expect(await setup.terminate(within: 30) == .exit(0))
            try stage.run("update tenantry.accounts set created_at = '2023-01-01'")

            // bravo's turn is somebody else's, so the worker stops there.
            try stage.run("select pg_advisory_lock(hashtextextended('tenantry.billing:bravo', 0))")
            let killed = try stage.startWorker()
            try stage.post(
                "billing.close", #"{"period":"2024-02"}"#, token: stage.operatorToken, id: "all", replyTo: stage.answers)
            try stage.confirm()
            try await eventually("acme's are made, and bravo is waited for") {
                try stage.number(
                    """
                    select count(*) from tenantry.invoices where exists (select from pg_locks where locktype = 'advisory' and not granted)
                    """) == 2
            }
            try await killed.kill()
            try stage.run("select pg_advisory_unlock_all()")
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "all", in: stage.answers)
            #expect(answer.result?["accounts"] == 3 && answer.result?["invoice_count"] == 4, "\(answer)")
            try expectOnce(
                ["acme.2024-02", "acme.shop-0.2024-02", "bravo.2024-02", "charlie.2024-02"], lines: 4, on: stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        private func expectOnce(_ ids: [String], lines: Int, on stage: Stage) throws {
            try #expect(stage.table("select id from tenantry.invoices order by id").map { $0[0] } == ids)
            try #expect(stage.number("select count(*) from tenantry.invoice_lines") == lines)
            try #expect(stage.jobsLeft() == 0)
            try #expect(stage.takeDeadLetters() == [])
        }
    }
}
