internal import Contract
internal import Metering
internal import Postgres

/// What a tenant used of a metric in a period, against what its invoices say so far.
struct UsageDifference: Sendable {
    var period: InvoicePeriod
    var tenant: String
    var metric: Metric
    var used: Int64
    var invoiced: Int64

    /// A row of `UsageDifferences.SQL.differences`; nil where this build does not know the metric.
    init?(
        period: String, start: Timestamp, end: Timestamp, tenant: String, metric: String, used: Int64, invoiced: Int64
    ) {
        guard let metric = Metric(rawValue: metric) else { return nil }
        self.period = InvoicePeriod(name: period, start: start, end: end)
        self.tenant = tenant
        self.metric = metric
        self.used = used
        self.invoiced = invoiced
    }
}

/// A period that has its invoices, and by what terms: they stay what they were.
struct InvoicedPeriod: Sendable {
    var period: InvoicePeriod
    /// The account's.
    var price: Price?
    /// Of the tenants that were billed by a plan of their own then.
    var ownPrices: [String: Price?] = [:]
    /// Invoiced so far of what is priced together.
    var pool = UsageCounts()
}

enum UsageDifferences {
    /// The differences of the period that is being closed, which has no invoice yet, and of all earlier ones that have.
    static func read(_ account: BilledAccount, on database: inout Transaction) throws(PostgresError) -> [UsageDifference] {
        try database.query(
            SQL.differences, account.slug, account.period.name, account.period.start, account.period.end
        ).decode(UsageDifference.init).compactMap { $0 }
    }

    /// How these periods were billed.
    static func terms(of periods: Set<InvoicePeriod>, account: String, on database: inout Transaction) throws -> [String:
        InvoicedPeriod]
    {
        guard !periods.isEmpty else { return [:] }
        let names = periods.map(\.name).sorted()
        var known = Dictionary(uniqueKeysWithValues: periods.map { ($0.name, InvoicedPeriod(period: $0)) })
        for (period, tenant, terms) in try database.query(SQL.terms, account, names).decode((String, String?, String?).self) {
            let price = try Price.stored(terms)
            if let tenant {
                known[period]?.ownPrices.updateValue(price, forKey: tenant)
            } else {
                known[period]?.price = price
            }
        }
        for (period, name, quantity) in try database.query(SQL.pools, account, names).decode((String, String, Int64).self) {
            guard let metric = Metric(rawValue: name) else { continue }
            known[period]?.pool[metric] = quantity
        }
        return known
    }

    enum SQL {
        /// Late usage counts where it belongs, from the moment on when the period that it was booked in is closed as well. Whatever else moved
        /// a counter after its period was closed, a batch that was under way then or a correction, shows in the same way. What belongs to a
        /// period before there was the account, which is never closed, stays where it was booked.
        static let differences = Statement(
            """
            with closed as (
                select i.period, i.period_start, i.period_end from tenantry.invoices i where i.account = $1 and i.tenant is null
                union all
                select $2, $3::timestamptz, $4::timestamptz
            ), periods as (
                select * from closed where closed.period <= $2
            ), moved as (
                select l.tenant, \(Metric.late.columns { "l.\($0)" }), booked.period as booked_period, own.period as own_period
                from tenantry.late_usage l
                left join closed booked on l.booked_start >= booked.period_start and l.booked_start < booked.period_end
                left join closed own on l.period_start >= own.period_start and l.period_start < own.period_end
                join tenantry.accounts a on a.slug = l.account
                where l.account = $1 and booked.period is distinct from own.period and (own.period is not null or exists (
                    select from tenantry.period(l.period_start, a.timezone, a.billing_anchor_day) p where p.period_end > a.created_at
                ))
            ), counted as (
                select p.period, u.tenant, \(Metric.flows.columns { "u.\($0)" })
                from periods p
                join tenantry.tenant_usage u
                    on u.account = $1 and u.period_start >= p.period_start and u.period_start < p.period_end
                union all
                select m.booked_period, m.tenant, \(moved("-")) from moved m where m.booked_period is not null
                union all
                select m.own_period, m.tenant, \(moved(""))
                from moved m where m.own_period is not null and m.booked_period is not null
            ), used as (
                select c.period, c.tenant, v.metric, greatest(sum(v.value), 0)::int8 as value
                from counted c
                cross join lateral (
                    values \(Metric.flows.columns { "('\($0)', c.\($0))" })
                ) v (metric, value)
                group by 1, 2, 3
            ), invoiced as (
                select l.period, l.tenant, l.metric, sum(l.quantity)::int8 as value
                from tenantry.invoice_lines l
                where l.account = $1 and l.metric is not null and l.period <= $2
                group by 1, 2, 3
            )
            select p.period, p.period_start, p.period_end, d.tenant, d.metric, d.used, d.invoiced
            from (
                select coalesce(u.period, i.period) as period, coalesce(u.tenant, i.tenant) as tenant, coalesce(u.metric, i.metric) as metric,
                       coalesce(u.value, 0) as used, coalesce(i.value, 0) as invoiced
                from used u
                full join invoiced i on i.period = u.period and i.tenant = u.tenant and i.metric = u.metric
                where coalesce(u.value, 0) <> coalesce(i.value, 0)
            ) d
            join periods p on p.period = d.period
            join tenantry.metrics m on m.name = d.metric
            order by p.period, d.tenant collate "C", m.position
            """)

        /// What is taken from the period that late usage was booked in, or added to its own.
        private static func moved(_ sign: String) -> String {
            Metric.flows.map { Metric.late.contains($0) ? "\(sign)m.\($0.column)" : "0" }.joined(separator: ", ")
        }

        static let terms: Statement = """
            select period, tenant, terms from tenantry.invoices
            where account = $1 and period = any($2) and (tenant is null or has_own_volume)
            """
        static let pools: Statement = """
            select period, metric, sum(quantity)::int8 from tenantry.invoice_lines
            where account = $1 and period = any($2) and metric is not null and not is_own_volume
            group by 1, 2
            """
    }
}
