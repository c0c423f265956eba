internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("Invoices on their way to Stripe", .serialized)
    struct BillingStripe {
        @Test("each is sent once: on behalf of the connected account, line by line, and made final")
        func sent() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_one", "acct_two"])
            let stage = billing.stage
            try stage.subscribe("told", exchange: Topology.eventsExchange)
            try stage.run(
                """
                insert into tenantry.administrators (account, tenant, email, display_name, role)
                values ('acme', 'shop-0', 'owner@shop.example', 'Owner', 'tenant_admin')
                """)
            let worker = try stage.startWorker(.tenantry, stripe.environment)
            try billing.use("shop-0", "2024-02", messages: 1_234)
            try await billing.close("2024-02")
            try await billing.close("2024-03")
            try await eventually("all are sent") {
                try billing.deliveries() == Array(repeating: "shop-0 sent", count: 2) + Array(repeating: "shop-1 sent", count: 2)
            }

            let invoices = try stripe.invoices(of: "acct_one").sorted {
                $0.metadata["tenantry_invoice"]! < $1.metadata["tenantry_invoice"]!
            }
            #expect(invoices.map { $0.metadata["tenantry_invoice"] } == ["acme.shop-0.2024-02", "acme.shop-0.2024-03"])
            let first = try #require(invoices.first)
            #expect(first.status == "open" && first.currency == "eur" && first.subtotal == 4_234 && first.daysUntilDue == 21)
            #expect(first.description == "Shop & Söhne 0, 2024-02")
            #expect(first.lines.map(\.amount) == [3_000, 1_234])
            #expect(first.lines.map(\.description) == ["solo, 2024-02", "Messages of shop-0"])
            #expect(first.lines.map(\.period.start) == [1_706_745_600, 1_706_745_600])
            #expect(first.lines.map(\.period.end) == [1_709_251_199, 1_709_251_199])
            // One customer for each tenant and connected account.
            let customers = try stripe.customers().sorted { $0.account ?? "" < $1.account ?? "" }
            #expect(customers.map(\.account) == ["acct_one", "acct_two"])
            #expect(Set(invoices.map(\.customer)) == [customers[0].id])
            #expect(customers[0].name == "Shop & Söhne 0" && customers[0].email == "owner@shop.example")
            #expect(
                customers[0].metadata == ["tenantry_account": "acme", "tenantry_tenant": "shop-0"] && customers[1].email == nil)

            let requests = try stripe.requests()
            #expect(requests.allSatisfy { $0.authorization == "Bearer \(StripeServer.key)" && $0.version == "2024-06-20" })
            let posts = requests.filter { $0.step != "get" }
            #expect(posts.allSatisfy { $0.type == "application/x-www-form-urlencoded" })
            #expect(Set(posts.compactMap(\.key)).count == posts.count, "a key of its own for each step")
            try #expect(
                stage.number("select count(*) from tenantry.invoices where stripe_invoice is not null and sent_at is not null")
                    == 4)
            try await eventually("it is told of") {
                try stage.takeAll(from: "told").contains { $0.routingKey == "invoice.sent.acme.shop-1" }
            }
            #expect(!worker.log.contains("hidden"), "the key is in no log")
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        /// Nothing came of it; it came of it and nobody knows; it takes for ever; it is refused for now.
        static let faults = ["before", "after", "hang", "409", "429", "500", "503", "401"]
        static let steps = ["customers", "invoices", "invoiceitems", "finalize"]

        @Test("whatever goes wrong at whichever step, for a while: one invoice comes of it, with each line once")
        func faults() async throws {
            let stripe = try await StripeServer()
            let accounts = Self.faults.flatMap { fault in Self.steps.map { "acct_\(fault)_\($0)" } }
            let billing = try await BillingStage(accounts)
            for index in accounts.indices { try billing.use("shop-\(index)", "2024-02", messages: index + 1) }
            let worker = try billing.stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            try await eventually("all are sent", within: 120) {
                try billing.deliveries() == accounts.indices.map { "shop-\($0) sent" }
            }
            for (index, account) in accounts.enumerated() {
                let invoices = try stripe.invoices(of: account)
                #expect(invoices.map(\.status) == ["open"], "\(account)")
                #expect(invoices.flatMap { $0.lines.map(\.amount) } == [3_000, index + 1], "\(account)")
                try #expect(stripe.customers().filter { $0.account == account }.count == 1, "\(account)")
            }
            let requests = try stripe.requests()
            for fault in ["after", "hang"] {
                for step in Self.steps {
                    let asked = requests.filter { $0.account == "acct_\(fault)_\(step)" && $0.step == step }
                    let same = asked.filter { $0.key == asked.first?.key }
                    // Whether it was made final is seen on the invoice itself.
                    let isSeen = step == "finalize"
                    #expect(same.map { $0.replayed == true } == (isSeen ? [false] : [false, true]), "\(fault) \(step)")
                }
            }
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test("a refusal is kept with its message and told of; sent again on request, under a key of its own")
        func refused() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_400_invoices", "acct_402_invoiceitems", "acct_one", "acct_bad\\u00e9"])
            let stage = billing.stage
            try stage.subscribe("told", exchange: Topology.eventsExchange)
            let worker = try stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            try await eventually("all are done") {
                try billing.deliveries() == ["shop-0 failed", "shop-1 failed", "shop-2 sent", "shop-3 failed"]
            }
            try #expect(
                stage.table("select last_error from tenantry.invoices where delivery = 'failed' order by tenant").map { $0[0] }
                    == [
                        "Stripe answered 400: As you wished", "Stripe answered 402: As you wished",
                        "the tenant's stripe_account is none: it has blanks or other than ASCII characters",
                    ])
            var told: Set<String> = []
            try await eventually("they are told of") {
                for message in try stage.takeAll(from: "told") where message.routingKey.hasPrefix("invoice.failed.") {
                    told.insert(message.routingKey)
                }
                return told == ["invoice.failed.acme.shop-0", "invoice.failed.acme.shop-1", "invoice.failed.acme.shop-3"]
            }
            for index in 0...1 {
                let retry = try Tool.run(["invoice", "retry", "acme.shop-\(index).2024-02"], database: stage.databaseURL)
                #expect(retry.status == 0, "\(retry)")
            }
            try await eventually("they are sent") {
                try billing.deliveries() == ["shop-0 sent", "shop-1 sent", "shop-2 sent", "shop-3 failed"]
            }
            for account in ["acct_400_invoices", "acct_402_invoiceitems"] {
                try #expect(stripe.invoices(of: account).map { $0.lines.map(\.amount) } == [[3_000]])
            }
            let again = try Tool.run(["invoice", "retry", "acme.shop-2.2024-02"], database: stage.databaseURL)
            #expect(again.status == 1 && again.output.contains("its delivery is sent"))
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test("a draft that does not come to what the invoice comes to is not made final; it can be started over")
        func mismatch() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_twice_invoiceitems"])
            let worker = try billing.stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            try await eventually("it has failed") { try billing.deliveries() == ["shop-0 failed"] }
            let error = try billing.stage.table("select last_error from tenantry.invoices where tenant is not null")[0][0]
            #expect(error.contains("comes to 6000, not to 3000"))
            try #expect(stripe.invoices().map(\.status) == ["draft"])
            let retry = try Tool.run(
                ["invoice", "retry", "--new-draft", "acme.shop-0.2024-02"], database: billing.stage.databaseURL)
            #expect(retry.status == 0, "\(retry)")
            try await eventually("it is sent") { try billing.deliveries() == ["shop-0 sent"] }
            try #expect(stripe.invoices().map { "\($0.status) \($0.subtotal)" }.sorted() == ["draft 6000", "open 3000"])
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test(
            "a new draft is not made where the old one was made final meanwhile: that is taken as sent, in the account that it is in"
        )
        func finalBefore() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_one", "acct_two", "acct_three"])
            let stage = billing.stage
            let worker = try stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            let all = ["shop-0", "shop-1", "shop-2"]
            try await eventually("they are sent") { try billing.deliveries() == all.map { "\($0) sent" } }
            let invoices = try stripe.invoices()
            // As if nobody had heard of it. The second tenant has another Stripe account by now; the third's invoice is another sum.
            try stage.run("update tenantry.invoices set delivery = 'failed' where tenant is not null")
            try stage.run("update tenantry.tenants set stripe_account = 'acct_new' where slug = 'shop-1'")
            try stage.run("update tenantry.invoices set total = 3001, base_amount = 3001 where tenant = 'shop-2'")
            for (tenant, flags) in [("shop-0", ["--new-draft"]), ("shop-1", []), ("shop-2", ["--new-draft"])] {
                let retry = try Tool.run(["invoice", "retry", "acme.\(tenant).2024-02"] + flags, database: stage.databaseURL)
                #expect(retry.status == 0, "\(retry)")
            }
            try await eventually("they are taken as sent") {
                try billing.deliveries() == ["shop-0 sent", "shop-1 sent", "shop-2 failed"]
            }
            try #expect(stripe.invoices().map(\.id).sorted() == invoices.map(\.id).sorted(), "there is no second one")
            try #expect(
                stage.table(
                    "select stripe_account, stripe_invoice from tenantry.invoices where delivery = 'sent' order by tenant")
                    == ["acct_one", "acct_two"].map { account in [account, invoices.first { $0.account == account }?.id ?? ""] })
            let error = try stage.table("select last_error from tenantry.invoices where delivery = 'failed'")[0][0]
            #expect(error.contains("is open and does not come to 3001: void it there"), "\(error)")
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test("a retry goes to the Stripe account and the address that the tenant has by now, as a new customer")
        func moved() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_400_invoices", "acct_402_invoices", "acct_402_invoiceitems"])
            let stage = billing.stage
            let worker = try stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            let all = ["shop-0", "shop-1", "shop-2"]
            try await eventually("they have failed") { try billing.deliveries() == all.map { "\($0) failed" } }
            try stage.run("update tenantry.tenants set stripe_account = 'acct_new' where slug <> 'shop-0'")
            try stage.run(
                """
                insert into tenantry.administrators (account, tenant, email, display_name, role)
                values ('acme', 'shop-0', 'new@shop.example', 'New', 'tenant_admin')
                """)
            for tenant in all {
                let retry = try Tool.run(["invoice", "retry", "acme.\(tenant).2024-02"], database: stage.databaseURL)
                #expect(retry.status == 0, "\(retry)")
            }
            try await eventually("they are sent") { try billing.deliveries() == all.map { "\($0) sent" } }
            let customers = try stripe.customers()
            let own = try stripe.invoices(of: "acct_400_invoices")
            #expect(own.map(\.status) == ["open"])
            #expect(customers.first { $0.id == own.first?.customer }?.email == "new@shop.example")
            let moved = try stripe.invoices(of: "acct_new")
            #expect(moved.map(\.status) == ["open", "open"] && moved.map { $0.lines.map(\.amount) } == [[3_000], [3_000]])
            try #expect(stripe.invoices(of: "acct_402_invoiceitems").map(\.status) == ["draft"], "it is left behind")
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test(
            "an invoice that Stripe cannot have, in a currency that it counts otherwise or for nobody, is not sent on request either"
        )
        func unsendable() async throws {
            let billing = try await BillingStage(["acct_one", "acct_two"])
            let worker = try billing.stage.startWorker()
            try await billing.close("2024-02")
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try billing.stage.run("update tenantry.invoices set currency = 'MGA' where tenant = 'shop-0'")
            try billing.stage.run("update tenantry.tenants set stripe_account = null where slug = 'shop-1'")
            for (id, reason) in [
                ("acme.shop-0.2024-02", "Stripe counts MGA in other units"),
                ("acme.shop-1.2024-02", "tenant shop-1 has no stripe_account"),
                ("acme.2024-02", "its delivery is none ("),
            ] {
                let retry = try Tool.run(["invoice", "retry", id], database: billing.stage.databaseURL)
                #expect(retry.status == 1 && retry.output.contains("not one to send again: \(reason)"), "\(retry)")
            }
            try #expect(billing.stage.number("select count(*) from tenantry.invoices where delivery = 'pending'") == 0)
        }

        @Test("a worker that is killed between two steps leaves an invoice that another worker finishes: one, and each line once")
        func killed() async throws {
            let stripe = try await StripeServer()
            let accounts = Self.steps.map { "acct_hang_\($0)" }
            let billing = try await BillingStage(accounts)
            var environment = stripe.environment
            environment["TENANTRY_STRIPE_TIMEOUT_SECONDS"] = "300"
            for index in accounts.indices { try billing.use("shop-\(index)", "2024-02", messages: 7) }
            let killed = try billing.stage.startWorker(.tenantry, environment)
            try await billing.close("2024-02")
            try await eventually("each hangs at its step") {
                let requests = try stripe.requests()
                return Self.steps.allSatisfy { step in requests.contains { $0.account == "acct_hang_\(step)" && $0.step == step }
                }
            }
            try await killed.kill()
            try #expect(billing.deliveries() == accounts.indices.map { "shop-\($0) pending" })
            // As if the lease of the dead were over.
            try billing.stage.run("update tenantry.invoices set next_attempt_at = now() where delivery = 'pending'")
            let worker = try billing.stage.startWorker(.tenantry, stripe.environment)
            try await eventually("all are sent") { try billing.deliveries() == accounts.indices.map { "shop-\($0) sent" } }
            for account in accounts {
                let invoices = try stripe.invoices(of: account)
                #expect(
                    invoices.map(\.status) == ["open"] && invoices.map { $0.lines.map(\.amount) } == [[3_000, 7]], "\(account)")
            }
            try #expect(stripe.customers().count == accounts.count)
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test("a worker that is told to stop cuts a request off, gives the invoice back at once, and ends with 0")
        func stopped() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_hang_invoices"])
            var environment = stripe.environment
            environment["TENANTRY_STRIPE_TIMEOUT_SECONDS"] = "300"
            let stopped = try billing.stage.startWorker(.tenantry, environment)
            try await billing.close("2024-02")
            try await eventually("it hangs") { try stripe.requests().contains { $0.step == "invoices" } }
            try #expect(await stopped.terminate(within: 30) == .exit(0))
            try #expect(
                billing.stage.number(
                    "select count(*) from tenantry.invoices where delivery = 'pending' and next_attempt_at <= now()") == 1)
            let worker = try billing.stage.startWorker(.tenantry, stripe.environment)
            try await eventually("it is sent") { try billing.deliveries() == ["shop-0 sent"] }
            try #expect(stripe.invoices().map(\.status) == ["open"])
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }

        @Test(
            "Stripe forgets idempotency keys: what was lost then is no second line on the invoice, but a draft that is not made final"
        )
        func forgotten() async throws {
            let stripe = try await StripeServer()
            let billing = try await BillingStage(["acct_forget_invoiceitems", "acct_forget_invoices", "acct_forget_finalize"])
            let worker = try billing.stage.startWorker(.tenantry, stripe.environment)
            try await billing.close("2024-02")
            try await eventually("all are done") {
                try billing.deliveries() == ["shop-0 failed", "shop-1 sent", "shop-2 sent"]
            }
            try #expect(stripe.invoices(of: "acct_forget_invoiceitems").map(\.status) == ["draft"])
            try #expect(stripe.invoices(of: "acct_forget_invoices").map(\.status).sorted() == ["draft", "open"])
            try #expect(stripe.invoices(of: "acct_forget_finalize").map(\.status) == ["open"])
            try #expect(await worker.terminate(within: 30) == .exit(0))
        }
    }
}

/// The product's commands, run to their end.
private enum Tool {
    static func run(_ arguments: [String], database: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: try WorkerProcess.path(of: .tenantry))
        process.arguments = arguments
        process.environment = ["TENANTRY_DATABASE_URL": database]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
