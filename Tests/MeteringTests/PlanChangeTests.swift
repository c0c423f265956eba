internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// A plan changed up and down, also while what it limits is being counted.
@Suite(.serialized) struct PlanChangeTests {
    @Test("Up resolves what is no longer crossed, down tells what is, back and forth tells nothing twice")
    func upAndDown() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "pro", #","limits":{"child_tenants":5}"#)
        try fleet.makeTenant("shop", token: account)
        #expect(try await inbox.take(fleet) == [])
        // Half of what pro has.
        try fleet.logMessages(5_000, tenant: "shop", token: account)
        #expect(try await inbox.take(fleet) == ["warning messages acme/_pool 50"])
        try fleet.update("acme", #""plan":"enterprise""#)
        #expect(try await inbox.take(fleet) == ["resolved messages acme/_pool 50"])
        for plan in ["pro", "enterprise", "pro", "enterprise-plus"] {
            try fleet.update("acme", #""plan":"\#(plan)""#)
            #expect(try await inbox.take(fleet) == [], "\(plan)")
        }
        #expect(
            try fleet.alertRows() == ["resolved messages acme/_pool 50", "warning messages acme/_pool 50"])
        await fleet.stop()
    }

    @Test("A plan that is changed takes effect at once: the next job is held against it")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(5, tenant: "shop", token: account)
        for _ in 0..<3 {
            try fleet.update("acme", #""plan":"small""#)
            let refused = try fleet.ask("conversation.log", TestFleet.log([TestFleet.newID()]), tenant: "shop", token: account)
            #expect(refused.error?.code == .limitReached, "\(refused)")
            for word in ["messages", "limit 5", "account acme"] {
                #expect(refused.error?.message.contains(word) == true, "\(refused)")
            }
            let document =
                #"{"external_id":"a","title":"t","media_type":"text/plain","content":"\#(String(repeating: "x", count: 1_001))"}"#
            let corpus = try fleet.ask("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: "shop", token: account)
            #expect(corpus.error?.code == .limitReached)
            for word in ["corpus_bytes", "limit 1000", "value 0"] {
                #expect(corpus.error?.message.contains(word) == true, "\(corpus)")
            }
            let documents = (0..<3).map { #"{"external_id":"\#($0)","title":"t","media_type":"text/plain","content":"\#($0)"}"# }
            let many = try fleet.ask(
                "corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: "shop", token: account)
            #expect(many.error?.code == .limitReached)
            for word in ["documents", "limit 2", "value 0", "3 more"] {
                #expect(many.error?.message.contains(word) == true, "\(many)")
            }
            try fleet.update("acme", #""plan":"enterprise-plus""#)
            #expect(
                try fleet.ask("conversation.log", TestFleet.log([TestFleet.newID()]), tenant: "shop", token: account).status
                    == .succeeded)
        }
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 8)
        await fleet.stop()
    }

    @Test("A tenant's own plan and limits take effect at once, and its alerts follow them")
    func tenants() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(4, tenant: "shop", token: account)
        func change(_ changes: String) throws {
            let answer = try fleet.ask("tenant.update", "{\(changes)}", tenant: "shop", token: account)
            #expect(answer.status == .succeeded, "\(answer)")
        }
        #expect(try await inbox.take(fleet) == [])
        try change(#""plan":"small""#)
        #expect(try await inbox.take(fleet) == ["warning messages acme/shop 50"])
        let refused = try fleet.ask("conversation.log", TestFleet.log(["x", "y"]), tenant: "shop", token: account)
        #expect(refused.error?.code == .limitReached)
        for word in ["tenant shop", "messages", "limit 5", "value 4", "2 more"] {
            #expect(refused.error?.message.contains(word) == true, "\(refused)")
        }
        try change(#""limits":{"messages":40}"#)
        #expect(try await inbox.take(fleet) == ["resolved messages acme/shop 50"])
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["x", "y"]), tenant: "shop", token: account).status == .succeeded)
        try change(#""limits":{"messages":6}"#)
        #expect(try await inbox.take(fleet) == ["breached messages acme/shop 100"], "half of it has been told")
        try change(#""plan":null,"limits":null"#)
        #expect(try await inbox.take(fleet) == ["resolved messages acme/shop 100"])
        try change(#""plan":"small""#)
        #expect(try await inbox.take(fleet) == [], "nothing twice")
        await fleet.stop()
    }

    @Test("Changes of plan and limits between hundreds of bookings hold up nobody, and every threshold is told as it should be")
    func meanwhile() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        let tenants = (0..<8).map { "t\($0)" }
        for slug in tenants { try fleet.makeTenant(slug, token: account, #","limits":{"messages":60}"#) }
        await fleet.stop()
        let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
        let before = try fleet.number(deadlocks)
        var ids: [String] = []
        for index in 0..<400 {
            let body = TestFleet.log(["\(index)", "x\(index)"], conversation: "c\(index % 7)", user: "u\(index % 13)")
            ids.append("log-\(index)")
            try fleet.send("conversation.log", body, tenant: tenants[index % 8], token: account, id: "log-\(index)")
            guard index % 8 == 0 else { continue }
            let plan = ["enterprise", "enterprise-plus"][index / 8 % 2]
            let limit = [100, 900, 400][index / 8 % 3]
            ids.append("update-\(index)")
            try fleet.send(
                "account.update", #"{"account":"acme","plan":"\#(plan)","limits":{"messages":\#(limit)}}"#,
                token: fleet.operatorToken, id: "update-\(index)")
            ids.append("tenant-\(index)")
            try fleet.send(
                "tenant.update", #"{"limits":{"messages":\#([60, 70][index / 8 % 2])}}"#, tenant: tenants[index / 8 % 8],
                token: account, id: "tenant-\(index)")
            guard index % 40 == 0 else { continue }
            ids.append("aggregate-\(index)")
            try fleet.send("usage.aggregate", "{}", token: account, id: "aggregate-\(index)")
        }
        for _ in 0..<2 {
            try fleet.startWorker {
                $0.lanes = [.account: 1, .tenant: 1, .conversation: 2, .usage: 1]
                $0.batchLimit = 5
            }
        }
        for id in ids {
            let answer = try fleet.answer(to: id)
            #expect(answer.status == .succeeded, "\(id): \(answer)")
            guard id.hasPrefix("aggregate") else { continue }
            #expect(answer.result?["corrections"] == 0, "\(answer)")
        }
        try await fleet.swept()
        #expect(try fleet.differences(tenants: tenants) == [])
        let limit = try fleet.number("select limit_value from tenantry.custom_limits where tenant = '' and metric = 'messages'")
        // 800 of the limit that stands in the end; 100 of 60 or 70 for each tenant.
        let told = try await inbox.take(fleet).filter { !$0.hasPrefix("resolved") }
        #expect(Set(told).count == told.count, "nothing twice")
        let open = try fleet.alertRows()
        for percent in [50, 75, 80, 90, 100] {
            for slug in tenants {
                let word = percent < 100 ? "warning" : "breached"
                #expect(open.contains("\(word) messages acme/\(slug) \(percent)"))
            }
            let isCrossed = 800 * 100 >= limit * Int64(percent)
            if isCrossed { #expect(open.contains { $0.hasSuffix("messages acme/_pool \(percent)") }) }
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
        // One now and then is repeated and harms nobody; where the orders of locks contradict each other, nearly every change meets one.
        #expect(try fleet.number(deadlocks) - before <= 20, "of 100 changes")
    }
}
