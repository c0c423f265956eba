internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

/// `tenantry.period`: the one definition of a billing period.
@Suite struct PeriodTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let at: String
        let zone: String
        let anchor: Int
        let start: String
        let end: String

        init(_ at: String, _ zone: String, _ anchor: Int, _ start: String, _ end: String) {
            (self.at, self.zone, self.anchor, self.start, self.end) = (at, zone, anchor, start, end)
        }

        var testDescription: String { "\(at) in \(zone) from day \(anchor)" }
    }

    static let cases = [
        Case("2026-11-15T12:00:00Z", "UTC", 1, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        // Half-open.
        Case("2026-11-01T00:00:00Z", "UTC", 1, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        Case("2026-10-31T23:59:59.999999Z", "UTC", 1, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        Case("2026-12-31T23:59:59Z", "UTC", 1, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        // An anchor that the month does not have is its last day.
        Case("2026-02-27T23:59:59Z", "UTC", 31, "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"),
        Case("2026-02-28T00:00:00Z", "UTC", 31, "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"),
        Case("2026-03-30T00:00:00Z", "UTC", 31, "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"),
        Case("2026-04-30T00:00:00Z", "UTC", 31, "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"),
        Case("2026-02-28T05:00:00Z", "UTC", 30, "2026-02-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        Case("2026-02-28T05:00:00Z", "UTC", 29, "2026-02-28T00:00:00Z", "2026-03-29T00:00:00Z"),
        // A leap year.
        Case("2028-02-28T23:00:00Z", "UTC", 29, "2028-01-29T00:00:00Z", "2028-02-29T00:00:00Z"),
        Case("2028-02-29T00:00:00Z", "UTC", 31, "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"),
        // Midnight where the account is; summer time begins on 2026-03-29 and ends on 2026-10-25.
        Case("2026-03-31T21:59:59Z", "Europe/Berlin", 1, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
        Case("2026-03-31T22:00:00Z", "Europe/Berlin", 1, "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"),
        Case("2026-10-25T00:30:00Z", "Europe/Berlin", 25, "2026-10-24T22:00:00Z", "2026-11-24T23:00:00Z"),
        // Half past and a quarter to.
        Case("2026-11-30T18:14:59Z", "Asia/Kathmandu", 1, "2026-10-31T18:15:00Z", "2026-11-30T18:15:00Z"),
        Case("2026-11-30T18:15:00Z", "Asia/Kathmandu", 1, "2026-11-30T18:15:00Z", "2026-12-31T18:15:00Z"),
        // The day on which a Brazilian summer began had no midnight: it began at one o'clock.
        Case("2018-11-04T03:00:00Z", "America/Sao_Paulo", 4, "2018-11-04T03:00:00Z", "2018-12-04T02:00:00Z"),
        Case("2018-11-04T02:59:59Z", "America/Sao_Paulo", 4, "2018-10-04T03:00:00Z", "2018-11-04T03:00:00Z"),
    ]

    @Test("A moment's period starts at midnight of the anchor day in the account's zone")
    func table() async throws {
        var database = try await controlDatabase()
        for example in Self.cases {
            var parameters = Parameters()
            parameters.append(example.at)
            parameters.append(example.zone)
            parameters.append(Int64(example.anchor))
            let rows = try database.query(
                "select period_start, period_end from tenantry.period($1::timestamptz, $2, $3::int8::int)", parameters)
            #expect(rows.timestamp(0, 0).rfc3339Seconds == example.start, "\(example.testDescription)")
            #expect(rows.timestamp(0, 1).rfc3339Seconds == example.end, "\(example.testDescription)")
        }
    }

    @Test("Periods tile time: each begins where the one before ends, holds what it contains, and lasts 28 to 31 days")
    func tiling() async throws {
        var database = try await controlDatabase()
        let broken = try database.query(
            """
            with moments as (
                select '2016-01-01'::timestamptz + n * interval '1 day 3 hours 7 minutes 11.000003 seconds' as at, zone, anchor
                from generate_series(0, 1400) n,
                    unnest(array['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Cairo']) zone,
                    unnest(array[1, 4, 18, 21, 28, 29, 30, 31]) anchor
            )
            select m.zone, m.anchor, m.at::text
            from moments m
            cross join lateral tenantry.period(m.at, m.zone, m.anchor) p
            cross join lateral tenantry.period(p.period_start, m.zone, m.anchor) first
            cross join lateral tenantry.period(p.period_end - interval '1 microsecond', m.zone, m.anchor) last
            cross join lateral tenantry.period(p.period_end, m.zone, m.anchor) next
            where not (p.period_start <= m.at and m.at < p.period_end)
               or first <> p or last <> p or next.period_start <> p.period_end
               or p.period_end - p.period_start not between interval '27 days 22 hours' and interval '31 days 2 hours'
            """)
        let count = broken.count
        let example = count > 0 ? "\(broken.text(0, 0)), day \(broken.int(0, 1)), \(broken.text(0, 2))" : ""
        #expect(count == 0, "\(example)")
    }

    @Test("The book remembers what PostgreSQL said, for each calendar")
    func book() async throws {
        var database = try await controlDatabase()
        var book = PeriodBook()
        let utc = PeriodBook.Calendar(timezone: "UTC", anchorDay: 1)
        let berlin = PeriodBook.Calendar(timezone: "Europe/Berlin", anchorDay: 15)
        let moment = try #require(Timestamp(rfc3339: "2026-11-15T12:00:00Z")).microsecondsSince1970
        let nothing = book.period(of: moment, in: utc)
        #expect(nothing == nil)
        try book.learn([(utc, moment), (berlin, moment), (utc, moment)], on: &database)
        let month = try #require(book.period(of: moment, in: utc))
        #expect(month.start.rfc3339Seconds == "2026-11-01T00:00:00Z")
        #expect(book.period(of: month.start.microsecondsSince1970, in: utc) == month)
        #expect(book.period(of: month.end.microsecondsSince1970, in: utc) == nil)
        let other = try #require(book.period(of: moment, in: berlin))
        #expect(other.start.rfc3339Seconds == "2026-11-14T23:00:00Z")
        #expect(other.end.rfc3339Seconds == "2026-12-14T23:00:00Z")
    }
}

extension Timestamp {
    /// To the second: `2026-11-01T00:00:00Z`.
    var rfc3339Seconds: String { String(rfc3339.prefix { $0 != "." && $0 != "Z" }) + "Z" }
}
