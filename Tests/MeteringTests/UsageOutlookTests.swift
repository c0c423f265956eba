internal import Jobs
internal import Metering
internal import Postgres
internal import Testing
internal import Usage

/// Where a period's usage leads, by the clock alone.
@Suite struct UsageOutlookTests {
    /// Thirty days.
    private static let period = BillingPeriod(
        start: Timestamp(rfc3339: "2026-11-01T00:00:00Z")!, end: Timestamp(rfc3339: "2026-12-01T00:00:00Z")!)

    private static func outlook(
        _ value: Int64, limit: Int64? = nil, breachedAt: Timestamp? = nil, isGauge: Bool = false, at now: String
    ) throws -> UsageOutlook {
        UsageOutlook(
            value: value, limit: limit, breachedAt: breachedAt, period: period, isGauge: isGauge,
            now: try #require(Timestamp(rfc3339: now)))
    }

    @Test(
        "The pace so far, to the period's end; of the first day, the pace of a whole day",
        arguments: [
            (100, "2026-11-11T00:00:00Z", 300), (100, "2026-11-16T00:00:00Z", 200), (100, "2026-11-30T00:00:00Z", 103),
            (24, "2026-11-02T00:00:00Z", 24 * 30), (24, "2026-11-01T23:59:59.999999Z", 24 * 30),
            (10, "2026-11-01T00:00:00Z", 310),
            (10, "2026-11-01T01:00:00Z", 310), (0, "2026-11-16T00:00:00Z", 0), (7, "2026-12-01T00:00:00Z", 7),
            (7, "2027-03-01T00:00:00Z", 7), (0, "2026-10-31T23:59:59Z", 0),
        ] as [(Int64, String, Int64)])
    func projection(value: Int64, now: String, expected: Int64) throws {
        #expect(try Self.outlook(value, at: now).projection == expected)
        #expect(try Self.outlook(value, isGauge: true, at: now).projection == value, "a level has no pace")
    }

    @Test("A limit is reached when the rest is used up at that pace, never where that is after the period")
    func reached() throws {
        func at(_ limit: Int64?) throws -> String? {
            try Self.outlook(100, limit: limit, at: "2026-11-11T00:00:00Z").reachedAt?.rfc3339
        }
        #expect(try at(200) == "2026-11-21T00:00:00.000Z")
        #expect(try at(101) == "2026-11-11T02:24:00.000Z")
        #expect(try at(299) == "2026-11-30T21:36:00.000Z")
        #expect(try at(300) == nil, "at the very end")
        #expect(try at(1_000) == nil && at(nil) == nil)
        #expect(try Self.outlook(0, limit: 5, at: "2026-11-11T00:00:00Z").reachedAt == nil)
        #expect(try Self.outlook(4, limit: 5, isGauge: true, at: "2026-11-11T00:00:00Z").reachedAt == nil)
    }

    @Test("A limit that is reached already was reached when its alert said so, or nobody knows when")
    func breached() throws {
        let then = try #require(Timestamp(rfc3339: "2026-11-05T12:00:00Z"))
        for value in [100, 250] as [Int64] {
            #expect(try Self.outlook(value, limit: 100, breachedAt: then, at: "2026-11-11T00:00:00Z").reachedAt == then)
            #expect(try Self.outlook(value, limit: 100, at: "2026-11-11T00:00:00Z").reachedAt == nil)
        }
        #expect(try Self.outlook(5, limit: 5, breachedAt: then, isGauge: true, at: "2026-11-11T00:00:00Z").reachedAt == then)
        #expect(try Self.outlook(9, limit: 5, breachedAt: then, at: "2027-01-01T00:00:00Z").reachedAt == then)
    }

    @Test("Numbers that are too large stay the largest")
    func overflow() throws {
        let outlook = try Self.outlook(.max - 5, limit: .max, at: "2026-11-16T00:00:00Z")
        #expect(outlook.projection == .max && outlook.reachedAt != nil)
    }
}
