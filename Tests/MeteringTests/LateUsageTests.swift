internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// What comes after its period was closed is booked in the open one, and noted for its bill.
@Suite struct LateUsageTests {
    private func log(_ messages: [(id: String, sentAt: String, tokens: Int)]) -> String {
        let messages = messages.map {
            #"{"id":"\#($0.id)","role":"user","user_id":"u","content":"x","sent_at":"\#($0.sentAt)","tokens_in":\#($0.tokens)}"#
        }
        return #"{"conversation_id":"c","messages":[\#(messages.joined(separator: ","))]}"#
    }

    private func noted(_ fleet: TestFleet) throws -> [String] {
        try fleet.texts(
            """
            select concat_ws(' ', account, tenant, booked_start at time zone 'UTC', period_start at time zone 'UTC', messages, tokens)
            from tenantry.late_usage order by 1
            """)
    }

    @Test("Late messages are noted by their own period, each once, whoever sends them how often")
    func exactlyOnce() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount(
            "acme", plan: "enterprise-plus", #","timezone":"Europe/Zurich","billing_anchor_day":31"#)
        try fleet.makeTenant("shop", token: account)
        let early = log([("before", "2024-02-10T00:00:00Z", 1)])
        #expect(try fleet.ask("conversation.log", early, tenant: "shop", token: account).status == .succeeded)
        // All of February and March are closed; the period after that is open, as the first one.
        try fleet.database.run(
            script: "update tenantry.accounts set closed_through = '2024-03-30T23:00:00Z'")
        let booked = "2024-03-30 23:00:00"
        #expect(try noted(fleet) == [])
        let body = log([
            ("a", "2024-01-31T00:00:00Z", 3), ("b", "2024-02-28T22:59:59Z", 4), ("c", "2024-02-28T23:00:00Z", 5),
            ("d", "2024-03-30T22:59:59.999999Z", 6), ("open", "2024-03-30T23:00:00Z", 7), ("a", "2024-01-31T00:00:00Z", 3),
            ("before", "2024-02-10T00:00:00Z", 1),
        ])
        let first = try fleet.ask("conversation.log", body, tenant: "shop", token: account)
        #expect(first.result == ["accepted": 5, "duplicates": 2])
        let expected = [
            "acme shop \(booked) 2024-01-30 23:00:00 2 7", "acme shop \(booked) 2024-02-28 23:00:00 2 11",
        ]
        #expect(try noted(fleet) == expected)
        #expect(
            try fleet.ask("conversation.log", body, tenant: "shop", token: account).result == ["accepted": 0, "duplicates": 7])
        #expect(try noted(fleet) == expected)
        let more = log([
            ("e", "2024-02-01T00:00:00Z", 100), ("a", "2024-01-31T00:00:00Z", 3),
            ("now", RFC3339.text(SystemClock.nowMicroseconds()), 1),
        ])
        #expect(
            try fleet.ask("conversation.log", more, tenant: "shop", token: account).result == ["accepted": 2, "duplicates": 1])
        #expect(
            try noted(fleet) == ["acme shop \(booked) 2024-01-30 23:00:00 3 107", "acme shop \(booked) 2024-02-28 23:00:00 2 11"])
        #expect(
            try fleet.number("select messages from tenantry.tenant_usage where period_start = '2024-03-30T23:00:00Z'") == 6)
        try await fleet.swept()
        #expect(try fleet.differences(tenants: ["shop"]) == [])

        // Hours are the messages' own: what they have more than the counters is what is noted.
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        for (month, closed, late) in [("2024-01", 1, 3), ("2024-02", 0, 2)] as [(String, Int64, Int64)] {
            let answer = try fleet.ask("usage.aggregate", #"{"period":"\#(month)"}"#, token: account)
            #expect(answer.result?["corrections"] == 0)
            guard case .string(let start)? = answer.result?["period_start"], case .string(let end)? = answer.result?["period_end"]
            else { throw TestFailure("\(answer)") }
            let hours = try fleet.number(
                "select sum(value)::int8 from tenant_shop.usage_hourly where metric = 'messages' and hour >= '\(start)' and hour < '\(end)'"
            )
            #expect(
                try fleet.number(
                    "select coalesce(sum(messages), 0)::int8 from tenantry.tenant_usage where period_start = '\(start)'")
                    == closed)
            #expect(hours == closed + late, "\(month)")
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("The hours of late messages are made by the next aggregation, though their period is closed and nobody names it")
    func hours() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        let first = log([("before", "2024-01-10T00:00:00Z", 1)])
        #expect(try fleet.ask("conversation.log", first, tenant: "shop", token: account).status == .succeeded)
        try await fleet.swept()
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        try fleet.database.run(script: "update tenantry.accounts set closed_through = '2024-02-01T00:00:00Z'")
        let late = log([("late", "2024-01-20T10:30:00Z", 4), ("later", "2024-01-31T23:59:59Z", 5)])
        #expect(try fleet.ask("conversation.log", late, tenant: "shop", token: account).result?["accepted"] == 2)
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        #expect(
            try fleet.texts(
                "select concat_ws(' ', hour at time zone 'UTC', value) from tenant_shop.usage_hourly where metric = 'tokens' order by 1"
            )
                == ["2024-01-10 00:00:00 1", "2024-01-20 10:00:00 4", "2024-01-31 23:00:00 5"])
        #expect(
            try fleet.number("select tokens from tenantry.tenant_usage where period_start = '2024-01-01T00:00:00Z'") == 1,
            "the closed period's counter stays")
        await fleet.stop()
    }

    @Test("Lanes that book late messages of the same tenants at once note each once")
    func concurrently() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus", #","limits":{"messages":100}"#)
        for slug in ["one", "two", "three"] { try fleet.makeTenant(slug, token: account, #","limits":{"messages":20}"#) }
        await fleet.stop()
        try fleet.database.run(script: "update tenantry.accounts set closed_through = '2024-06-01T00:00:00Z'")
        var ids: [String] = []
        for index in 0..<180 {
            let month = index % 5 + 1
            let body = log([("\(index / 4)", "2024-0\(month)-15T00:00:00Z", 1), ("x\(index)", "2024-0\(month)-16T00:00:00Z", 1)])
            ids.append("job-\(index)")
            try fleet.send(
                "conversation.log", body, tenant: ["one", "two", "three"][index % 3], token: account, id: "job-\(index)")
        }
        try fleet.startWorker {
            $0.lanes[.conversation] = 4
            $0.batchLimit = 5
        }
        for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
        #expect(
            try fleet.texts(
                """
                select l.tenant || ' ' || l.messages || ' instead of ' || u.messages
                from (select tenant, booked_start, sum(messages) as messages, sum(tokens) as tokens from tenantry.late_usage group by 1, 2) l
                full join (select * from tenantry.tenant_usage where period_start > '-infinity') u
                on u.tenant = l.tenant and u.period_start = l.booked_start
                where l.messages is distinct from u.messages or l.tokens is distinct from u.tokens
                """) == [])
        #expect(try fleet.number("select sum(messages)::int8 from tenantry.late_usage") > 180)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
