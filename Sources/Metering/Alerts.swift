internal import Contract
internal import Foundation
public import Jobs
internal import Postgres

/// Alerts: written in the transaction of what they tell of, and put into the outbox there.
public enum Alerts {
    /// Notes in an alert's row that it is out.
    public static let confirmation = Outbox.Confirmation(exchange: Topology.alertsExchange) { ids, database in
        _ = try database.query(SQL.markPublished, ids)
    }

    /// Writes the alerts' rows and puts their events into the outbox.
    static func write(_ alerts: [NewAlert], on database: inout Transaction) throws(PostgresError) {
        guard !alerts.isEmpty else { return }
        let now = Instant(microsecondsSince1970: SystemClock.nowMicroseconds())
        var top: [MeasuredMetric: [AlertEvent.Data.TopTenant]] = [:]
        var events: [(alert: NewAlert, event: AlertEvent)] = []
        for alert in alerts {
            let key = MeasuredMetric(counter: alert.measurement.counter, metric: alert.measurement.metric)
            let tenants: [AlertEvent.Data.TopTenant]
            if let known = top[key] { tenants = known } else { tenants = try topTenants(of: alert.measurement, on: &database) }
            top[key] = tenants
            events.append((alert, alert.event(at: now, topTenants: tenants)))
        }
        let written = try insert(events, on: &database)
        try Outbox.append(events.map(\.event).filter { written.contains($0.id) }.map(message), on: &database)
    }

    private static func message(_ event: AlertEvent) -> OutboxMessage {
        .alert(
            id: event.id, state: event.state.rawValue, routingKey: event.routingKey,
            event: String(decoding: event.encoded(), as: UTF8.self))
    }

    /// What the alerts of one batch share: who used most.
    private struct MeasuredMetric: Hashable {
        let counter: CounterKey
        let metric: Metric
    }

    /// - Returns: the ids of those that are new: of two that cross the same threshold at once, one is.
    private static func insert(_ alerts: [(alert: NewAlert, event: AlertEvent)], on database: inout Transaction)
        throws(PostgresError) -> Set<String>
    {
        let data = alerts.map(\.event.data)
        let rows = try database.query(
            SQL.write, alerts.map(\.event.id), data.map(\.account), data.map(\.tenant), data.map(\.metric.rawValue),
            data.map { Int64($0.thresholdPercent) }, alerts.map(\.event.state.rawValue), data.map(\.value),
            data.map(\.previousValue), data.map(\.limit), data.map(\.mode.rawValue), data.map(\.plan),
            alerts.map(\.alert.period.start), alerts.map(\.alert.period.end), alerts.map(\.event.routingKey),
            alerts.map { String(decoding: $0.event.encoded(), as: UTF8.self) })
        return Set(rows.decode(String.self))
    }

    /// Who used most: for a pool its five largest tenants, for a tenant itself.
    private static func topTenants(
        of measurement: Measurement, on database: inout Transaction
    ) throws(PostgresError) -> [AlertEvent.Data.TopTenant] {
        let counter = measurement.counter
        if let tenant = counter.tenant { return [.init(tenant: tenant, value: measurement.value)] }
        guard measurement.metric.isForTenants else { return [] }
        return try database.query(SQL.topTenants, counter.account, counter.periodStart, measurement.metric.rawValue)
            .decode { (tenant: String, value: Int64) in .init(tenant: tenant, value: value) }
    }

    enum SQL {
        static let topTenants = Statement(
            """
            select tenant, value from (
                select u.tenant, \(Metric.ofTenants.value(of: "$3", in: "u")) as value
                from tenantry.tenant_usage u where u.account = $1 and u.period_start = $2
            ) v where value > 0 order by value desc, tenant limit 5
            """)
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

/// An alert that is about to be written.
struct NewAlert {
    let measurement: Measurement
    let percent: Int
    let state: AlertEvent.State
    let previous: Int64
    let period: BillingPeriod
    /// Further hundreds that were crossed together with this one and have no alert of their own.
    let alsoCrossed: Int

    init(
        _ measurement: Measurement, percent: Int, state: AlertEvent.State, previous: Int64, period: BillingPeriod? = nil,
        alsoCrossed: Int = 0
    ) {
        self.alsoCrossed = alsoCrossed
        self.measurement = measurement
        self.percent = percent
        self.state = state
        self.previous = previous
        self.period = period ?? measurement.period
    }

    func event(at time: Instant, topTenants: [AlertEvent.Data.TopTenant]) -> AlertEvent {
        AlertEvent(
            id: UUID().uuidString.lowercased(), state: state, time: time,
            data: AlertEvent.Data(
                account: measurement.counter.account, tenant: measurement.counter.tenant, metric: measurement.metric,
                mode: measurement.mode, limit: measurement.limit, value: measurement.value, previousValue: previous,
                thresholdPercent: percent, alsoCrossed: alsoCrossed, plan: measurement.plan,
                periodStart: Instant(microsecondsSince1970: period.start.microsecondsSince1970),
                periodEnd: Instant(microsecondsSince1970: period.end.microsecondsSince1970), timezone: measurement.timezone,
                topTenants: topTenants))
    }
}
