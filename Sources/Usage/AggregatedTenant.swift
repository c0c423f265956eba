internal import Metering
internal import Postgres

/// A row of `AggregateSQL.account`.
struct AggregatedAccount {
    let timezone: String
    let closedThrough: Timestamp
    let now: Timestamp
    /// What changed later than this was not there for the last aggregation, or not for the last recount.
    let changedSinceLast: Timestamp
    let changedSinceRecount: Timestamp
    /// Where the hours begin that are rolled up without a recount.
    let recentHours: Timestamp
    let isRecountDue: Bool
}

/// A tenant, the periods to count, and the spans of hours to roll up.
struct AggregatedTenant {
    let slug: String
    let schema: Identifier
    var periods: [BillingPeriod]
    var hours: [BillingPeriod] = []
}

extension Aggregation {
    /// Those of the tenants that are still there.
    func aggregatedTenants(_ slugs: [String], on database: inout Transaction) throws(PostgresError) -> [AggregatedTenant] {
        var tenants: [AggregatedTenant] = []
        for (slug, schema) in try database.query(AggregateSQL.schemas, slugs).decode((String, String).self) {
            tenants.append(AggregatedTenant(slug: slug, schema: try Identifier(schema), periods: since == nil ? periods : []))
        }
        if let since {
            let changed = try database.query(AggregateSQL.changedPeriods, slugs, since).decode {
                (tenant: String, start: Timestamp, end: Timestamp) in
                (tenant: tenant, period: BillingPeriod(start: start, end: end))
            }
            let periods = Dictionary(grouping: changed, by: \.tenant)
            for index in tenants.indices { tenants[index].periods = periods[tenants[index].slug, default: []].map(\.period) }
        }
        try addHours(to: &tenants, on: &database)
        return tenants
    }

    /// All hours of the periods, and of those that late messages in them belong to; or the recent ones of all of them.
    private func addHours(to tenants: inout [AggregatedTenant], on database: inout Transaction) throws(PostgresError) {
        if let recent {
            for index in tenants.indices {
                guard let end = tenants[index].periods.map(\.end).max(), end > recent else { continue }
                tenants[index].hours = [BillingPeriod(start: recent, end: end)]
            }
            return
        }
        let starts = Set(tenants.flatMap { $0.periods.map(\.start) }).sorted()
        let rows = try database.query(AggregateSQL.latePeriods, tenants.map(\.slug), starts).decode {
            (tenant: String, booked: Timestamp, start: Timestamp, end: Timestamp) in
            (tenant: tenant, booked: booked, own: BillingPeriod(start: start, end: end))
        }
        let late = Dictionary(grouping: rows, by: \.tenant)
        for index in tenants.indices {
            let periods = tenants[index].periods
            let booked = Set(periods.map(\.start))
            let own = late[tenants[index].slug, default: []].filter { booked.contains($0.booked) }.map(\.own)
            tenants[index].hours = Set(periods).union(own).sorted { $0.start < $1.start }
        }
    }

    /// Sends what there is to roll up and to count of a tenant: a statement for each span of hours, one for each period and one for its
    /// gauges; or, of recent hours, one for its last activity.
    func send(_ tenant: AggregatedTenant, on database: inout Transaction) throws(PostgresError) {
        database.touch(tenant.schema)
        let rollUp = RecountSQL.rollUp(tenant.schema)
        for span in tenant.hours { try database.send(rollUp, span.start, span.end, timezone, tenant.slug) }
        if let recent { return try database.send(RecountSQL.lastActivity(tenant.schema), recent) }
        let flowDifference = RecountSQL.flowDifference(tenant.schema)
        for period in tenant.periods { try database.send(flowDifference, tenant.slug, period.start) }
        try database.send(RecountSQL.gaugeDifference(tenant.schema), tenant.slug)
    }
}
