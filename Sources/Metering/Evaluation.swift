internal import Contract
internal import Foundation
internal import Postgres

/// Measures subjects against their limits: writes the alerts of thresholds newly crossed or no longer crossed, and notes at which value
/// the next one lies. Off the common path: most bookings cross nothing.
enum Evaluation {
    /// One metric of one subject, with all that an alert says about it.
    struct Measurement {
        let account: String
        let tenant: String?
        let metric: Metric
        /// The usage row's period; for gauges ``BillingPeriod/always``.
        let rowStart: Timestamp
        /// The billing period that an alert names.
        let period: BillingPeriod
        let value: Int64
        let limit: Int64?
        let mode: AlertEvent.Mode
        let plan: String
        let thresholds: Thresholds
        let timezone: String
    }

    /// - Parameter subjects: with what the present transaction added to each, for the alerts' `previous_value`.
    static func run(_ subjects: [Subject: UsageCounts], on database: inout Transaction) throws(PostgresError) {
        guard !subjects.isEmpty else { return }
        try lockAccounts(of: subjects.keys, on: &database)
        let measurements = try measure(Array(subjects.keys), on: &database)
        let known = try Alerts.known(for: measurements, on: &database)
        var drafts: [Alerts.Draft] = []
        for (measurement, known) in zip(measurements, known) {
            let crossed = measurement.thresholds.crossed(by: measurement.value)
            let changes = AlertChanges(crossed: crossed, known: known.mapValues(\.isResolved))
            let subject = Subject(account: measurement.account, tenant: measurement.tenant, periodStart: measurement.rowStart)
            let previous = measurement.value - (subjects[subject]?[measurement.metric] ?? 0)
            drafts += changes.fire.map {
                Alerts.Draft(measurement, percent: $0, state: $0 < 100 ? .warning : .breached, previous: previous)
            }
            drafts += changes.resolve.map {
                Alerts.Draft(measurement, percent: $0, state: .resolved, previous: previous, period: known[$0]!.period)
            }
        }
        try Alerts.write(drafts, on: &database)
        try noteNextValues(measurements, on: &database)
    }

    /// Held until the commit, so that limits do not change between being read and being measured against.
    private static func lockAccounts(of subjects: some Collection<Subject>, on database: inout Transaction) throws(PostgresError)
    {
        var parameters = Parameters()
        parameters.append(Set(subjects.map(\.account)).sorted())
        _ = try database.query(SQL.lockAccounts, parameters)
    }

    private static func measure(_ subjects: [Subject], on database: inout Transaction) throws(PostgresError) -> [Measurement] {
        let tenants = subjects.filter { $0.tenant != nil }
        let pools = subjects.filter { $0.tenant == nil }
        var measurements: [Measurement] = []
        for (statement, subjects) in [(SQL.measureTenants, tenants), (SQL.measurePools, pools)] where !subjects.isEmpty {
            var parameters = Parameters()
            parameters.append(subjects.map { $0.tenant ?? $0.account })
            parameters.append(timestamps: subjects.map(\.periodStart))
            let rows = try database.query(statement, parameters)
            measurements += (0..<rows.count).compactMap { Measurement(rows, $0) }
        }
        return measurements
    }

    private static func noteNextValues(_ measurements: [Measurement], on database: inout Transaction) throws(PostgresError) {
        var next: [Subject: [Metric: Int64]] = [:]
        for measurement in measurements {
            let subject = Subject(account: measurement.account, tenant: measurement.tenant, periodStart: measurement.rowStart)
            next[subject, default: [:]][measurement.metric] = measurement.thresholds.nextValue(after: measurement.value)
        }
        for (statement, isPool) in [(SQL.noteTenants, false), (SQL.notePools, true)] {
            let subjects = next.keys.filter { ($0.tenant == nil) == isPool }
                .sorted { ($0.tenant ?? $0.account, $0.periodStart) < ($1.tenant ?? $1.account, $1.periodStart) }
            guard !subjects.isEmpty else { continue }
            var parameters = Parameters()
            parameters.append(subjects.map { $0.tenant ?? $0.account })
            parameters.append(timestamps: subjects.map(\.periodStart))
            for metric in Metric.allCases {
                var values = BinaryArray(.int8)
                for subject in subjects {
                    if let value = next[subject]?[metric] { values.append(value) } else { values.appendNull() }
                }
                parameters.append(values)
            }
            _ = try database.query(statement, parameters)
        }
    }
}

extension Evaluation.Measurement {
    init?(_ rows: Rows, _ row: Int) {
        guard let metric = Metric(rawValue: rows.text(row, 2)) else { return nil }
        account = rows.text(row, 0)
        tenant = rows.optionalText(row, 1)
        self.metric = metric
        rowStart = rows.timestamp(row, 3)
        period = BillingPeriod(start: rows.timestamp(row, 4), end: rows.timestamp(row, 5))
        value = rows.int(row, 6)
        limit = rows.optionalInt(row, 7)
        mode = AlertEvent.Mode(rawValue: rows.text(row, 8)) ?? .soft
        plan = rows.text(row, 9)
        thresholds = Thresholds(percents: rows.ints(row, 10).map { Int($0) }, limit: limit)
        timezone = rows.text(row, 11)
    }
}

extension Evaluation {
    enum SQL {
        static let lockAccounts: Statement = "select slug from tenantry.accounts where slug = any($1) order by slug for share"
        static let measureTenants = measure(table: "tenantry.tenant_usage", subject: "tenant", tenant: "u.tenant")
        static let measurePools = measure(table: "tenantry.account_usage", subject: "account", tenant: "null::text")
        static let noteTenants = note(table: "tenantry.tenant_usage", subject: "tenant")
        static let notePools = note(table: "tenantry.account_usage", subject: "account")

        private static func measure(table: String, subject: String, tenant: String) -> Statement {
            Statement(
                """
                select u.account, \(tenant), l.metric, u.period_start,
                       case when m.is_gauge then p.period_start else u.period_start end,
                       case when m.is_gauge then p.period_end else u.period_end end,
                       case l.metric when 'messages' then u.messages when 'conversations' then u.conversations
                           when 'active_users' then u.active_users when 'tokens' then u.tokens when 'child_tenants' then u.child_tenants
                           when 'documents' then u.documents else u.corpus_bytes end,
                       l.limit_value, l.mode, l.plan, l.thresholds, a.timezone
                from unnest($1::text[], $2::timestamptz[]) as s (subject, period_start)
                join \(table) u on u.\(subject) = s.subject and u.period_start = s.period_start
                join tenantry.accounts a on a.slug = u.account
                cross join lateral tenantry.period(now(), a.timezone, a.billing_anchor_day) p
                cross join lateral tenantry.limits_of(u.account, \(tenant)) l
                join tenantry.metrics m on m.name = l.metric and m.is_gauge = (u.period_start = '-infinity')
                order by u.account, s.subject, u.period_start, m.position
                """)
        }

        private static func note(table: String, subject: String) -> Statement {
            Statement(
                """
                update \(table) u set messages_alert_at = n.messages, conversations_alert_at = n.conversations,
                    active_users_alert_at = n.active_users, tokens_alert_at = n.tokens, child_tenants_alert_at = n.child_tenants,
                    documents_alert_at = n.documents, corpus_bytes_alert_at = n.corpus_bytes
                from unnest($1::text[], $2::timestamptz[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[])
                    as n (subject, period_start, messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes)
                where u.\(subject) = n.subject and u.period_start = n.period_start
                  and (u.messages_alert_at, u.conversations_alert_at, u.active_users_alert_at, u.tokens_alert_at, u.child_tenants_alert_at,
                       u.documents_alert_at, u.corpus_bytes_alert_at)
                      is distinct from (n.messages, n.conversations, n.active_users, n.tokens, n.child_tenants, n.documents, n.corpus_bytes)
                """)
        }
    }
}
