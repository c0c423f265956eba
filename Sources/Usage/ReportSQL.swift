internal import Contract
internal import Metering
internal import Postgres

/// The statements of ``UsageReport``: which period, which buckets, whose tables.
enum ReportSQL {
    /// The period that starts in month `$2`, or the present one. A row is a ``ReportPeriod``. What changed shortly before the last aggregation
    /// may have been under way then.
    static let period: Statement = """
        select a.timezone, a.billing_anchor_day, a.aggregated_at, a.aggregated_at - interval '10 minutes', a.recounted_at - interval '10 minutes',
               date_trunc('hour', a.aggregated_at - interval '10 minutes', a.timezone),
               tenantry.day_of(a.aggregated_at - interval '10 minutes', a.timezone), now(), to_char(p.period_start at time zone a.timezone, 'YYYY-MM'),
               p.period_start, p.period_end
        from tenantry.accounts a
        cross join lateral (
            select case when $2::text is null then now()
                else ((to_date($2, 'YYYY-MM') + interval '1 month - 1 day')::timestamp at time zone a.timezone) end as at
        ) moment
        cross join lateral tenantry.period(moment.at, a.timezone, a.billing_anchor_day) p
        where a.slug = $1
        """
    /// Those of the tenants `$2`, or of all, that have tables.
    static let tenants: Statement = """
        select slug, schema_name from tenantry.tenants
        where account = $1 and ($2::text[] is null or slug = any($2)) and state <> 'purged' order by slug
        """

    /// Where the buckets of `$1` ≤ t < `$2` in the zone `$3` begin, and what they are called there.
    static func buckets(_ bucket: UsageReport.Bucket) -> Statement {
        switch bucket {
        case .hour:
            // A quarter of an hour is the finest step between a clock and UTC that is in use.
            """
            select start, to_char(date_trunc('hour', start at time zone $3), 'YYYY-MM-DD HH24:MI') from (
                select distinct date_trunc('hour', moment, $3) as start
                from generate_series($1::timestamptz, $2::timestamptz - interval '1 microsecond', interval '15 minutes') moment
            ) hours order by start
            """
        case .day:
            // By instants, as the periods are: a midnight may come twice, or not at all.
            """
            select distinct on (start) start, to_char(day, 'YYYY-MM-DD') from (
                select day, day at time zone $3 as start
                from generate_series(
                    ($1::timestamptz at time zone $3)::date - interval '1 day', ($2::timestamptz at time zone $3)::date, interval '1 day') day
            ) days where start >= $1 and start < $2 order by start, day
            """
        case .month:
            """
            with recursive months as (
                select $1::timestamptz as start, 1 as n
                union all
                select earlier.period_start, n + 1 from months
                cross join lateral tenantry.period(months.start - interval '1 microsecond', $3, $4::int8::int4) earlier
                where n < $5 and months.start < $2
            )
            select start, to_char(start at time zone $3, 'YYYY-MM') from months order by start
            """
        }
    }
}

/// A row of `ReportSQL.period`.
struct ReportPeriod {
    let timezone: String
    let anchorDay: Int64
    let aggregatedAt: Timestamp
    /// Tenants whose counters moved later may have what is not in their hours yet, ..
    let movedSinceAggregation: Timestamp
    /// .. and those whose counters moved later than this, if it is of days before.
    let movedSinceRecount: Timestamp
    /// Earlier hours and days are in the roll-ups, but for what came late.
    let rolledUpHour: Timestamp
    let rolledUpDay: Timestamp
    let now: Timestamp
    let month: String
    let start: Timestamp
    let end: Timestamp
}
