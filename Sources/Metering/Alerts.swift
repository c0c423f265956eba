internal import Contract
internal import Foundation
internal import Jobs
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
    static func known(for measurements: [Evaluation.Measurement], on database: inout Transaction) throws(PostgresError) -> [[Int:
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
    static func write(_ drafts: [Draft], on database: inout Transaction) throws(PostgresError) {
        guard !drafts.isEmpty else { return }
        let now = Instant(microsecondsSince1970: Timestamp.now().microsecondsSince1970)
        var top: [String: [AlertEvent.Data.TopTenant]] = [:]
        var events: [(Draft, AlertEvent)] = []
        for draft in drafts {
            let measurement = draft.measurement
            let key =
                "\(measurement.account)/\(measurement.tenant ?? "")/\(measurement.metric.rawValue)/\(measurement.rowStart.rfc3339)"
            if top[key] == nil { top[key] = try topTenants(of: measurement, on: &database) }
            events.append((draft, event(draft, time: now, topTenants: top[key]!)))
        }
        let written = try insert(events, on: &database)
        try Outbox.append(events.filter { written.contains($0.1.id) }.map { Self.message($0.1) }, on: &database)
    }

    /// - Returns: the ids of those that are new: of two that cross the same threshold at once, one is.
    private static func insert(_ alerts: [(draft: Draft, event: AlertEvent)], on database: inout Transaction)
        throws(PostgresError) -> Set<String>
    {
        let data = alerts.map(\.event.data)
        let rows = try database.query(
            SQL.write, alerts.map(\.event.id), data.map(\.account), data.map(\.tenant), data.map(\.metric.rawValue),
            data.map { Int64($0.thresholdPercent) }, alerts.map(\.event.state.rawValue), data.map(\.value),
            data.map(\.previousValue),
            data.map(\.limit), data.map(\.mode.rawValue), data.map(\.plan), alerts.map(\.draft.period.start),
            alerts.map(\.draft.period.end), alerts.map(\.event.routingKey),
            alerts.map { String(decoding: $0.event.encoded(), as: UTF8.self) })
        return Set(rows.decode(String.self))
    }

    private static func message(_ event: AlertEvent) -> Outbox.Entry {
        message(
            id: event.id, state: event.state.rawValue, routingKey: event.routingKey,
            body: String(decoding: event.encoded(), as: UTF8.self))
    }

    /// An alert on its way out, the first time or again: always the same message.
    static func message(id: String, state: String, routingKey: String, body: String) -> Outbox.Entry {
        Outbox.Entry(
            exchange: Topology.alertsExchange, routingKey: routingKey, messageID: id, type: "tenantry.limit.\(state)",
            contentType: AlertEvent.contentType, body: body)
    }

    /// Notes when alerts were published first.
    static func markPublished(_ ids: [String], on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.markPublished, ids)
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
        of measurement: Evaluation.Measurement, on database: inout Transaction
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
            insert into tenantry.alerts (id, account, tenant, metric, threshold_percent, state, value, previous_value, limit_value,
                mode, plan, period_start, period_end, routing_key, event)
            select id::uuid, account, tenant, metric, percent::int, state, value, previous, limit_value, mode, plan, period_start, period_end,
                routing_key, event
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::int8[], $8::int8[], $9::int8[],
                $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[])
                as a (id, account, tenant, metric, percent, state, value, previous, limit_value, mode, plan, period_start, period_end,
                    routing_key, event)
            on conflict do nothing
            returning id::text
            """
        static let markPublished: Statement = """
            update tenantry.alerts set published_at = coalesce(published_at, clock_timestamp()) where id = any($1::text[]::uuid[])
            """
    }
}
