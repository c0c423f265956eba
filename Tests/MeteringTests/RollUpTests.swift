internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Usage

/// Hours, days and months of accounts all over the world, from random messages around the moments at which calendars are odd.
@Suite(.serialized) struct RollUpTests {
    struct Place: Sendable, CustomTestStringConvertible {
        let zone: String
        let anchor: Int
        /// Where messages are sent most, and how many days before and after.
        let moments: [String]
        let days: Int64

        var testDescription: String { "\(zone) from day \(anchor)" }
    }

    static let places = [
        // A quarter to, and February of a leap year.
        Place(zone: "Asia/Kathmandu", anchor: 29, moments: ["2024-02-28T18:15:00Z", "2024-03-28T18:15:00Z"], days: 40),
        Place(zone: "Asia/Kathmandu", anchor: 30, moments: ["2023-02-27T18:15:00Z"], days: 35),
        // Summer time begins and ends.
        Place(zone: "America/New_York", anchor: 31, moments: ["2024-03-10T07:00:00Z", "2024-11-03T06:00:00Z"], days: 3),
        Place(zone: "America/New_York", anchor: 10, moments: ["2024-03-10T05:00:00Z"], days: 30),
        Place(zone: "Europe/Zurich", anchor: 31, moments: ["2024-03-31T01:00:00Z", "2023-10-29T01:00:00Z"], days: 35),
        // By half an hour, in a zone that is off by half an hour.
        Place(zone: "Australia/Lord_Howe", anchor: 7, moments: ["2024-04-06T15:00:00Z", "2023-09-30T15:30:00Z"], days: 8),
        // At midnight: one comes twice, one not at all.
        Place(zone: "America/Havana", anchor: 3, moments: ["2024-11-03T05:00:00Z", "2024-03-10T05:00:00Z"], days: 2),
    ]

    @Test(
        "Counters equal a recount, the sum of their hours, and the sum of their days; days are made of their own hours",
        arguments: places)
    func everywhere(_ place: Place) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount(
            "acme", plan: "enterprise-plus", #","timezone":"\#(place.zone)","billing_anchor_day":\#(place.anchor)"#)
        let tenants = ["one", "two"]
        for slug in tenants { try fleet.makeTenant(slug, token: account) }
        let centers = try place.moments.map { try #require(Timestamp(rfc3339: $0)).microsecondsSince1970 / 1_000_000 }
        for (seed, seconds) in [(UInt64(11), place.days * 86_400), (12, 3 * 3_600)] {
            try fleet.logAtRandom(jobs: 24, tenants: tenants, token: account, seed: seed) { random in
                centers.randomElement(using: &random)! + Int64.random(in: -seconds...seconds, using: &random)
            }
        }
        try await fleet.swept()
        #expect(try fleet.differences(tenants: tenants) == [])
        let months = try fleet.texts(
            """
            select distinct to_char(period_start at time zone '\(place.zone)', 'YYYY-MM') from tenantry.account_usage
            where period_start > '-infinity' order by 1
            """)
        #expect(months.count >= 2, "the data spans periods")
        let atOnce = try Self.histories(months, fleet)
        for _ in 0..<2 {
            #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        }
        for tenant in tenants { #expect(try Self.wrongHours(fleet, tenant) == [], "\(tenant)") }
        #expect(try fleet.unequalHistory(tenants: tenants) == [])
        #expect(try Self.histories(months, fleet) == atOnce, "what is not rolled up yet is there all the same")

        for month in months {
            let totals = try UsageTotal.read(account: "acme", month: month, on: &fleet.database)
            let days = try #require(try UsageReport(.init(account: "acme", month: month, by: .day), on: &fleet.database))
            let hours = try #require(try UsageReport(.init(account: "acme", month: month, by: .hour), on: &fleet.database))
            let whole = try #require(try UsageReport(.init(account: "acme", month: month, by: .month), on: &fleet.database))
            #expect(whole.labels.last == month && whole.labels.count == 12)
            #expect(Set(days.labels).count == days.labels.count && (27...32).contains(days.labels.count), "\(days.labels)")
            for total in totals {
                func values(_ report: UsageReport) throws -> [Int64] {
                    try #require(report.series.first { $0.tenant == total.tenant && $0.metric == total.metric }).values
                }
                let subject = "\(month) \(total.tenant ?? "pool") \(total.metric)"
                #expect(try values(whole).last == total.value, "\(subject)")
                guard total.metric != .activeUsers else { continue }
                #expect(try values(days).reduce(0, +) == total.value, "\(subject)")
                #expect(try values(hours).reduce(0, +) == total.value, "\(subject)")
                #expect(try Self.byDay(hours, values(hours), days) == values(days), "\(subject)")
            }
            for tenant in tenants { try Self.expectDays(days, of: tenant, zone: place.zone, fleet) }
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    /// The series of each month, by hour, day and month.
    private static func histories(_ months: [String], _ fleet: TestFleet) throws -> [[UsageReport.Series]] {
        try months.flatMap { month in
            try UsageReport.Bucket.allCases.map { bucket in
                try #require(try UsageReport(.init(account: "acme", month: month, by: bucket), on: &fleet.database)).series
            }
        }
    }

    /// Rows of `usage_hourly` that aren't a full hour of the wall clock, or not what the raw rows of that hour say.
    private static func wrongHours(_ fleet: TestFleet, _ tenant: String) throws -> [String] {
        try fleet.texts(
            """
            with zone as (select timezone from tenantry.accounts), raw as (
                select date_trunc('hour', sent_at, timezone) as hour, m.metric, case m.metric when 'messages' then count(*)
                    when 'tokens' then sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) else count(distinct user_id) end as value
                from tenant_\(tenant).messages, zone, (values ('messages'), ('tokens'), ('active_users')) m (metric) group by 1, 2
            )
            select concat_ws(' ', hour, metric, raw.value, 'rolled up as', u.value)
            from (select * from raw where value > 0) raw
            full join (select * from tenant_\(tenant).usage_hourly where metric <> 'conversations') u using (hour, metric)
            where u.value is distinct from raw.value
            union all
            select hour::text from tenant_\(tenant).usage_hourly, zone where hour <> date_trunc('hour', hour, timezone)
              and timezone <> 'Australia/Lord_Howe'
            """)
    }

    /// The hours' values, added up by the days that they lie in.
    private static func byDay(_ hours: UsageReport, _ values: [Int64], _ days: UsageReport) -> [Int64] {
        var sums = [Int64](repeating: 0, count: days.starts.count)
        for (start, value) in zip(hours.starts, values) { sums[days.starts.lastIndex { $0 <= start } ?? 0] += value }
        return sums
    }

    /// Days against the raw rows, by the date on the wall.
    private static func expectDays(_ days: UsageReport, of tenant: String, zone: String, _ fleet: TestFleet) throws {
        // A date whose first hour comes twice begins with the second, as billing periods do.
        guard zone != "America/Havana" else { return }
        for (metric, expression) in [(Metric.messages, "count(*)"), (.activeUsers, "count(distinct user_id)")] {
            let rows = try fleet.texts(
                """
                select to_char(sent_at at time zone '\(zone)', 'YYYY-MM-DD') || ' ' || \(expression) from tenant_\(tenant).messages
                where sent_at >= '\(days.starts[0].rfc3339)' and sent_at < '\(days.end.rfc3339)'
                group by to_char(sent_at at time zone '\(zone)', 'YYYY-MM-DD') having \(expression) > 0 order by 1
                """)
            let values = try #require(days.series.first { $0.tenant == tenant && $0.metric == metric }).values
            #expect(zip(days.labels, values).filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" } == rows, "\(tenant) \(metric)")
        }
    }

    @Test("Hours begin at the wall clock's full hour, and one that comes twice is two")
    func labels() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus", #","timezone":"Europe/Zurich""#)
        try fleet.makeTenant("shop", token: account)
        for moment in ["2024-10-27T00:59:59Z", "2024-10-27T01:00:00Z", "2024-03-31T00:59:59Z", "2024-03-31T01:00:00Z"] {
            try fleet.logMessages(1, tenant: "shop", token: account, sentAt: moment)
        }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded)
        let report = try #require(
            try UsageReport(.init(account: "acme", metrics: [.messages], month: "2024-10", by: .hour), on: &fleet.database))
        #expect(report.starts.count == 31 * 24 + 1)
        let busy = zip(zip(report.labels, report.starts), report.series[0].values).filter { $0.1 > 0 }.map {
            "\($0.0.0) \($0.0.1.rfc3339) \($0.1)"
        }
        #expect(busy == ["2024-10-27 02:00 2024-10-27T00:00:00.000Z 1", "2024-10-27 02:00 2024-10-27T01:00:00.000Z 1"])
        let march = try #require(
            try UsageReport(.init(account: "acme", metrics: [.messages], month: "2024-03", by: .hour), on: &fleet.database))
        #expect(march.starts.count == 31 * 24 - 1)
        #expect(
            zip(march.labels, march.series[0].values).filter { $0.1 > 0 }.map(\.0) == ["2024-03-31 01:00", "2024-03-31 03:00"])
        #expect(try UsageReport(.init(account: "nobody", by: .day), on: &fleet.database) == nil)
        await fleet.stop()
    }

    @Test("Users of a day or a month are counted once, and who was erased stays in the month")
    func users() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        func log(_ user: String, _ moments: [String]) throws {
            let messages = moments.map {
                #"{"id":"\#(user) \#($0)","role":"user","user_id":"\#(user)","content":"x","sent_at":"\#($0)"}"#
            }
            let body = #"{"conversation_id":"\#(user)","messages":[\#(messages.joined(separator: ","))]}"#
            #expect(try fleet.ask("conversation.log", body, tenant: "shop", token: account).status == .succeeded)
        }
        try log("ann", ["2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z", "2024-05-02T10:00:00Z", "2024-06-01T10:00:00Z"])
        try log("bob", ["2024-05-01T10:30:00Z"])
        func read(_ bucket: UsageReport.Bucket) throws -> [String] {
            #expect(try fleet.ask("usage.aggregate", #"{"period":"2024-05"}"#, token: account).result?["corrections"] == 0)
            let question = UsageReport.Question(account: "acme", metrics: [.activeUsers], month: "2024-05", by: bucket)
            let report = try #require(try UsageReport(question, on: &fleet.database))
            return zip(report.labels, report.series[0].values).filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        }
        let hours = ["2024-05-01 10:00 2", "2024-05-01 11:00 1", "2024-05-02 10:00 1"]
        #expect(try read(.hour) == hours)
        #expect(try read(.day) == ["2024-05-01 2", "2024-05-02 1"])
        #expect(try read(.month) == ["2024-05 2"])
        #expect(
            try fleet.ask("conversation.erase", #"{"user_id":"ann"}"#, tenant: "shop", token: account).result?["active_users"]
                == 2)
        #expect(try read(.hour) == hours)
        #expect(try read(.day) == ["2024-05-01 1"], "nobody knows any more who the second one was")
        #expect(try read(.month) == ["2024-05 2"])
        await fleet.stop()
    }
}
