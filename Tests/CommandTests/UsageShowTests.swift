internal import Foundation
internal import TestSupport
internal import Testing

@Suite("usage show prints totals, shares and how they are spread over time")
struct UsageShowTests {
    private struct Shop {
        let instance: Instance
        let account: String

        func show(_ options: String...) async throws -> Ended { try await show(options) }

        func show(_ options: [String]) async throws -> Ended {
            try await Program(Program.tenantry, ["usage", "show"] + options, environment: instance.environment).end()
        }
    }

    /// Two tenants with messages in February and March 2024, rolled up.
    private static let shop = Task {
        let instance = try await Instance.shared.value
        let account = newSlug("show")
        let token = try await instance.makeAccount(account, #","limits":{"messages":40},"timezone":"Asia/Kathmandu""#)
        // Nothing is booked before an account's first period.
        _ = try await instance.psql("update tenantry.accounts set created_at = '2024-01-01' where slug = '\(account)'")
        for (tenant, times) in [
            ("a", [("2024-02-10T12:00:00Z", 6), ("2024-02-10T18:15:00Z", 3), ("2024-03-05T00:00:00Z", 1)]),
            ("b", [("2024-02-11T12:00:00Z", 1)]),
        ] {
            _ = try await instance.ask(
                "tenant.create", #"{"slug":"\#(account)-\#(tenant)","display_name":"T"}"#, token: token)
            for (time, count) in times {
                let messages = (0..<count).map {
                    #"{"id":"\#(time)\#($0)","role":"user","user_id":"u","content":"x","sent_at":"\#(time)","tokens_in":2}"#
                }
                _ = try await instance.ask(
                    "conversation.log", #"{"conversation_id":"c","messages":[\#(messages.joined(separator: ","))]}"#,
                    tenant: "\(account)-\(tenant)", token: token)
            }
        }
        _ = try await instance.ask("usage.aggregate", "{}", token: token)
        return Shop(instance: instance, account: account)
    }

    @Test("a period's totals, each tenant's share of the pool, and its days as a line of blocks")
    func totals() async throws {
        let shop = try await Self.shop.value
        let account = shop.account
        let rows = try await shop.show(account, "--period", "2024-02", "--format", "json").rows()
        func row(_ tenant: String?, _ metric: String) throws -> [String: Any] {
            try #require(rows.first { $0["tenant"] as? String == tenant && $0["metric"] as? String == metric })
        }
        let pool = try row(nil, "messages")
        #expect(pool["value"] as? Int == 10 && pool["limit"] as? Int == 40 && pool["percent"] as? Double == 25)
        #expect(pool["share"] is NSNull)
        #expect(pool["period_start"] as? String == "2024-01-31T18:15:00.000Z")
        #expect(pool["period_end"] as? String == "2024-02-29T18:15:00.000Z")
        #expect(try row("\(account)-a", "messages")["share"] as? Double == 90)
        #expect(try row("\(account)-b", "tokens")["share"] as? Double == 10)
        #expect(rows.count == 12, "four metrics of three subjects: what is there now is not of that period")
        #expect(
            Set(rows[0].keys) == [
                "account", "tenant", "metric", "value", "limit", "percent", "share", "projection", "reached_at", "period_start",
                "period_end",
            ])

        let table = try await shop.show(account, "--period", "2024-02", "--metric", "messages").output.split(separator: "\n")
        let quiet = String(repeating: "▁", count: 9)
        let rest = String(repeating: "▁", count: 18)
        #expect(table.count == 4)
        #expect(table[1].contains("  \(quiet)█▆\(rest)  "), "\(table[1])")
        #expect(table[2].contains("  \(quiet)█▅\(rest)  "), "\(table[2])")
        #expect(table[3].contains("  \(quiet)▁█\(rest)  "), "\(table[3])")
    }

    @Test("the days of users only where they are asked for")
    func users() async throws {
        let shop = try await Self.shop.value
        func line(_ options: String...) async throws -> String {
            let lines = try await shop.show([shop.account, "--period", "2024-02"] + options).output.split(separator: "\n")
            return String(try #require(lines.first { $0.contains("active_users") }))
        }
        #expect(try await !line().contains { "▁█".contains($0) })
        #expect(try await line("--metric", "active_users").contains("█"))
        #expect(try await line("--top", "1", "--metric", "active_users").contains("█"))
    }

    @Test("one row for each day, hour or month, with a bar")
    func buckets() async throws {
        let shop = try await Self.shop.value
        let options = [shop.account, "--period", "2024-02", "--metric", "messages", "--tenant", "\(shop.account)-a"]
        func busy(_ by: String) async throws -> [String] {
            let rows = try await shop.show(options + ["--by", by, "--format", "json"]).rows()
            #expect(rows.allSatisfy { Set($0.keys) == ["account", "tenant", "metric", by, "start", "value"] })
            return rows.filter { $0["value"] as? Int != 0 }.map { "\($0[by] ?? "") \($0["start"] ?? "") \($0["value"] ?? "")" }
        }
        #expect(
            try await busy("day") == ["2024-02-10 2024-02-09T18:15:00.000Z 6", "2024-02-11 2024-02-10T18:15:00.000Z 3"])
        #expect(
            try await busy("hour") == [
                "2024-02-10 17:00 2024-02-10T11:15:00.000Z 6", "2024-02-11 00:00 2024-02-10T18:15:00.000Z 3",
            ])
        #expect(try await busy("month") == ["2024-02 2024-01-31T18:15:00.000Z 9"])
        let drawn = try await shop.show(options + ["--by", "day"]).output.split(separator: "\n")
        #expect(drawn.count == 30)
        #expect(drawn[10].hasSuffix("6  " + String(repeating: "█", count: 40)))
        #expect(drawn[11].hasSuffix("3  " + String(repeating: "█", count: 20)))
        #expect(drawn[12].hasSuffix("0"))
    }

    @Test("as CSV, with lines that end as RFC 4180 says")
    func csv() async throws {
        let shop = try await Self.shop.value
        let account = shop.account
        let ended = try await shop.show(account, "--period", "2024-02", "--metric", "messages", "--format", "csv")
        #expect(
            ended.output
                == [
                    "account,tenant,metric,value,limit,percent,share,projection,reached_at,period_start,period_end",
                    "\(account),,messages,10,40,25.0,,10,,2024-01-31T18:15:00.000Z,2024-02-29T18:15:00.000Z",
                    "\(account),\(account)-a,messages,9,,,90.0,9,,2024-01-31T18:15:00.000Z,2024-02-29T18:15:00.000Z",
                    "\(account),\(account)-b,messages,1,,,10.0,1,,2024-01-31T18:15:00.000Z,2024-02-29T18:15:00.000Z", "",
                ].joined(separator: "\r\n"))
    }

    @Test("--top leaves the pool and those who used most")
    func top() async throws {
        let shop = try await Self.shop.value
        for (count, tenants) in [
            ("0", [nil]), ("1", [nil, "\(shop.account)-a"]), ("9", [nil, "\(shop.account)-a", "\(shop.account)-b"]),
        ]
            as [(String, [String?])]
        {
            let rows = try await shop.show(
                shop.account, "--period", "2024-02", "--metric", "messages", "--top", count, "--format", "json"
            ).rows()
            #expect(rows.map { $0["tenant"] as? String } == tenants, "\(count)")
            let days = try await shop.show(
                shop.account, "--period", "2024-02", "--metric", "messages", "--top", count, "--by", "month", "--format", "json"
            ).rows()
            #expect(Set(days.map { $0["tenant"] as? String }) == Set(tenants), "\(count)")
        }
    }

    @Test("a name or a period that is wrong is named")
    func mistakes() async throws {
        let shop = try await Self.shop.value
        let account = shop.account
        for (options, message) in [
            (["nobody-here"], "there is no account nobody-here"),
            (["--tenant", "nobody-here"], "there is no tenant nobody-here"),
            ([account, "--tenant", "nobody-here"], "there is no tenant nobody-here"),
            (["nobody-here", "--tenant", "\(account)-a"], "there is no account nobody-here"),
            ([account, "--period", "2999-01"], "the period 2999-01 has not begun"),
            (["--tenant", "\(account)-a", "--metric", "child_tenants"], "no tenant has child_tenants, only its account"),
            ([account, "--metric", "documents", "--period", "2024-02"], "documents has a present value and no history"),
        ] {
            let ended = try await shop.show(options)
            #expect(ended.status == 1 && ended.errors.hasPrefix("Error: \(message)"), "\(options): \(ended)")
        }
        let other = newSlug("other")
        _ = try await shop.instance.makeAccount(other)
        let stranger = try await shop.show(other, "--tenant", "\(account)-a")
        #expect(stranger.errors == "Error: tenant \(account)-a is not of account \(other)\n")
        for (options, message) in [
            (["--metric", "cats"], "There is no metric cats; there are messages, "),
            (["--period", "2024-13"], "must be a month such as 2026-11"), (["--by", "year"], "'hour', 'day' or 'month'"),
            (["--top=-1"], "--top must be 0 or more"), (["--metric", "documents", "--by", "day"], "nothing by day"),
            (["--format", "xml"], "'table', 'json' or 'csv'"),
        ] {
            let ended = try await shop.show(options)
            #expect(ended.status == 64 && ended.errors.contains(message), "\(options): \(ended)")
        }
    }
}
