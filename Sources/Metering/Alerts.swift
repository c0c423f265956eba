internal import Contract
internal import Foundation
internal import Postgres

/// The alerts' rows and their way into the outbox.
enum Alerts {
    /// An alert to be written.
    struct Draft {
        let measurement: Evaluation.Measurement
        let percent: Int
        let state: AlertEvent.State
        let previous: Int64
        let period: BillingPeriod

        init(
            _ measurement: Evaluation.Measurement, percent: Int, state: AlertEvent.State, previous: Int64,
            period: BillingPeriod? = nil
        ) {
            self.measurement = measurement
            self.percent = percent
            self.state = state
            self.previous = previous
            self.period = period ?? measurement.period
        }
    }

    /// An alert that has fired before and still counts.
    struct Known {
        var isResolved: Bool
        /// The period that it fired in; a gauge's may be an earlier one.
        let period: BillingPeriod
    }

    /// For each measurement, by threshold, the alerts that count in its period. A gauge carries over, so an alert of an earlier period
    /// counts for it until it is resolved.
    static func known(for measurements: [Evaluation.Measurement], on database: inout Connection) throws(PostgresError) -> [[Int:
        Known]]
    {
        var known = [[Int: Known]](repeating: [:], count: measurements.count)
        var parameters = Parameters()
        parameters.append(measurements.map(\.account))
        parameters.append(measurements.map { $0.tenant ?? "" })
        parameters.append(measurements.map(\.metric.rawValue))
        parameters.append(timestamps: measurements.map { $0.metric.isGauge ? .distantPast : $0.period.start })
        let rows = try database.query(SQL.known, parameters)
        for row in 0..<rows.count {
            let index = Int(rows.int(row, 0))
            let percent = Int(rows.int(row, 1))
            let alert = Known(
                isResolved: rows.bool(row, 2), period: BillingPeriod(start: rows.timestamp(row, 3), end: rows.timestamp(row, 4)))
            let isEarlier = alert.period.start != measurements[index].period.start
            if isEarlier, alert.isResolved { continue }
            // This period's own alert weighs more than an earlier one that is still open, unless that is all there is.
            if let present = known[index][percent], !present.isResolved { continue }
            known[index][percent] = alert
        }
        return known
    }

    /// Writes the alerts' rows and puts their events into the outbox.
    static func write(_ drafts: [Draft], on database: inout Connection) throws(PostgresError) {
        guard !drafts.isEmpty else { return }
        let now = Instant(microsecondsSince1970: Timestamp.now().microsecondsSince1970)
        var top: [String: [AlertEvent.Data.TopTenant]] = [:]
        var columns = AlertColumns()
        for draft in drafts {
            let measurement = draft.measurement
            let key =
                "\(measurement.account)/\(measurement.tenant ?? "")/\(measurement.metric.rawValue)/\(measurement.rowStart.rfc3339)"
            if top[key] == nil { top[key] = try topTenants(of: measurement, on: &database) }
            columns.append(draft, event(draft, time: now, topTenants: top[key]!))
        }
        _ = try database.query(SQL.write, columns.parameters())
    }

    private static func event(_ draft: Draft, time: Instant, topTenants: [AlertEvent.Data.TopTenant]) -> AlertEvent {
        let measurement = draft.measurement
        return AlertEvent(
            id: UUID().uuidString.lowercased(), state: draft.state, time: time,
            data: AlertEvent.Data(
                account: measurement.account, tenant: measurement.tenant, metric: measurement.metric, mode: measurement.mode,
                limit: measurement.limit, value: measurement.value, previousValue: draft.previous,
                thresholdPercent: draft.percent,
                plan: measurement.plan, periodStart: Instant(microsecondsSince1970: draft.period.start.microsecondsSince1970),
                periodEnd: Instant(microsecondsSince1970: draft.period.end.microsecondsSince1970), timezone: measurement.timezone,
                topTenants: topTenants))
    }

    /// Who used most: for a pool its five largest tenants, for a tenant itself.
    private static func topTenants(
        of measurement: Evaluation.Measurement, on database: inout Connection
    ) throws(PostgresError) -> [AlertEvent.Data.TopTenant] {
        if let tenant = measurement.tenant { return [.init(tenant: tenant, value: measurement.value)] }
        guard measurement.metric.isForTenants else { return [] }
        var parameters = Parameters()
        parameters.append(measurement.account)
        parameters.append(timestamp: measurement.rowStart)
        parameters.append(measurement.metric.rawValue)
        let rows = try database.query(SQL.topTenants, parameters)
        return (0..<rows.count).map { .init(tenant: rows.text($0, 0), value: rows.int($0, 1)) }
    }

    enum SQL {
        static let known: Statement = """
            select s.n - 1, a.threshold_percent, bool_or(a.state = 'resolved'), a.period_start, max(a.period_end)
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) with ordinality as s (account, tenant, metric, period_start, n)
            join tenantry.alerts a on a.account = s.account and coalesce(a.tenant, '') = s.tenant and a.metric = s.metric
                and (s.period_start = '-infinity' or a.period_start = s.period_start)
            group by s.n, a.threshold_percent, a.period_start
            order by s.n, a.threshold_percent, a.period_start
            """
        static let topTenants: Statement = """
            select tenant, value from (
                select u.tenant, case $3 when 'messages' then u.messages when 'conversations' then u.conversations
                    when 'active_users' then u.active_users when 'tokens' then u.tokens
                    when 'documents' then u.documents else u.corpus_bytes end as value
                from tenantry.tenant_usage u where u.account = $1 and u.period_start = $2
            ) v where value > 0 order by value desc, tenant limit 5
            """
        static let write: Statement = """
            with written as (
                insert into tenantry.alerts (id, account, tenant, metric, threshold_percent, state, value, previous_value, limit_value,
                    mode, plan, period_start, period_end, routing_key, event)
                select id::uuid, account, tenant, metric, percent::int, state, value, previous, limit_value, mode, plan, period_start, period_end,
                    routing_key, event
                from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::int8[], $8::int8[], $9::int8[],
                    $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[], $16::text[])
                    as a (id, account, tenant, metric, percent, state, value, previous, limit_value, mode, plan, period_start, period_end,
                        routing_key, type, event)
                on conflict do nothing
                returning id
            )
            insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body, alert)
            select 'tenantry.alerts', a.routing_key, a.id, a.type, 'application/cloudevents+json', a.event, a.id::uuid
            from unnest($1::text[], $14::text[], $15::text[], $16::text[]) with ordinality as a (id, routing_key, type, event, n)
            join written w on w.id = a.id::uuid
            order by a.n
            """
    }
}

/// The columns of `tenantry.alerts` as arrays.
private struct AlertColumns {
    private var texts = [[String]](repeating: [], count: 9)
    private var tenants = BinaryArray(.text)
    private var limits = BinaryArray(.int8)
    private var numbers = [[Int64]](repeating: [], count: 3)
    private var starts: [Timestamp] = []
    private var ends: [Timestamp] = []

    mutating func append(_ draft: Alerts.Draft, _ event: AlertEvent) {
        let data = event.data
        let body = String(decoding: event.encoded(), as: UTF8.self)
        let values = [
            event.id, data.account, data.metric.rawValue, event.state.rawValue, data.mode.rawValue, data.plan, event.routingKey,
            event.type, body,
        ]
        for (index, value) in values.enumerated() { texts[index].append(value) }
        tenants.append(data.tenant)
        if let limit = data.limit { limits.append(limit) } else { limits.appendNull() }
        for (index, value) in [Int64(data.thresholdPercent), data.value, data.previousValue].enumerated() {
            numbers[index].append(value)
        }
        starts.append(draft.period.start)
        ends.append(draft.period.end)
    }

    func parameters() -> Parameters {
        var parameters = Parameters()
        parameters.append(texts[0])
        parameters.append(texts[1])
        parameters.append(tenants)
        parameters.append(texts[2])
        parameters.append(numbers[0])
        parameters.append(texts[3])
        parameters.append(numbers[1])
        parameters.append(numbers[2])
        parameters.append(limits)
        parameters.append(texts[4])
        parameters.append(texts[5])
        parameters.append(timestamps: starts)
        parameters.append(timestamps: ends)
        parameters.append(texts[6])
        parameters.append(texts[7])
        parameters.append(texts[8])
        return parameters
    }
}
