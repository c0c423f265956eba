internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Metering
@testable internal import Usage

/// What is said of a metric in one place has to be true in all others. Whoever adds one and leaves something out is told here what it is.
@Suite("The table of metrics") struct MetricTests {
    @Test("Each metric has a place of its own among the counters, in the order of the cases, and there is room for all")
    func places() {
        #expect(Metric.allCases.map(\.place) == Array(Metric.allCases.indices))
        #expect(Metric.allCases.count <= UsageCounts.capacity)
    }

    @Test("Counters keep a number for each metric: set, added, taken away again, compared")
    func counts() {
        var counts = UsageCounts()
        #expect(counts.isZero && !counts.hasIncrease && !counts.hasDecrease)
        for metric in Metric.allCases { counts[metric] = Self.value(metric) }
        for metric in Metric.allCases { #expect(counts[metric] == Self.value(metric)) }
        #expect(counts.hasIncrease && !counts.hasDecrease)
        #expect((-counts).hasDecrease && !(-counts).hasIncrease)
        for metric in Metric.allCases {
            var other = counts
            other += [metric: -Self.value(metric)]
            #expect(other != counts && other[metric] == 0)
            other += [metric: Self.value(metric)]
            #expect(other == counts)
        }
        counts += -counts
        #expect(counts.isZero)
    }

    @Test("Each metric is counted anew from its rows in the way that it is counted")
    func recounts() {
        for metric in Metric.allCases {
            switch metric.recount {
            case .flow: #expect(!metric.isGauge, "\(metric) is recounted as a flow")
            case .gauge: #expect(metric.isGauge && metric.isForTenants, "\(metric) is recounted as a gauge")
            case .accountGauge: #expect(metric.isGauge && !metric.isForTenants, "\(metric) is recounted as an account's gauge")
            }
        }
    }

    @Test("For people, a metric is called by its words")
    func titles() {
        #expect(Metric.messages.title == "Messages" && Metric.activeUsers.title == "Active users")
        #expect(Metric.corpusBytes.title == "Corpus bytes")
    }

    /// A value, and limit, that no other metric has.
    fileprivate static func value(_ metric: Metric) -> Int64 { 10 * Int64(metric.place + 1) }
}

@Suite("The metrics of the database") struct MetricColumnTests {
    @Test("The table of metrics in the database says the same as that of the code")
    func table() async throws {
        var database = try await controlDatabase()
        let rows = try database.query("select name, is_gauge, is_for_tenants from tenantry.metrics order by position").decode {
            (name: String, isGauge: Bool, isForTenants: Bool) in "\(name) gauge:\(isGauge) tenants:\(isForTenants)"
        }
        #expect(
            rows == Metric.allCases.map { "\($0.rawValue) gauge:\($0.isGauge) tenants:\($0.isForTenants)" },
            "a migration adds a metric with tenantry.add_metric")
    }

    @Test(
        "Each table of counters has the columns of every metric, and no others",
        arguments: [
            ("tenant_usage", ["tenant", "account", "period_start", "period_end", "changed_at"], true),
            ("account_usage", ["account", "period_start", "period_end", "changed_at"], true),
            ("usage_deltas", ["id", "account", "period_start", "period_end"], false),
        ])
    func counters(_ table: String, _ keys: [String], _ hasThresholds: Bool) async throws {
        var database = try await controlDatabase()
        let alerts = hasThresholds ? Metric.allCases.map { Metric.alertColumn($0.column) } : []
        try #expect(columns(of: table, on: &database) == Set(keys + Metric.allCases.map(\.column) + alerts))
    }

    @Test("What is noted of late messages and kept of erased ones has the columns of the flows that are")
    func lateAndErased() async throws {
        var database = try await controlDatabase()
        let late = Set(["account", "tenant", "booked_start", "period_start"] + Metric.late.map(\.column))
        try #expect(columns(of: "late_usage", on: &database) == late)
        let erased = Set(["tenant", "period_start", "hour", "period_users"] + Metric.flows.map(\.column))
        try #expect(columns(of: "erased_usage", on: &database) == erased)
    }

    @Test("A migration adds a metric with one call; a build that does not know it yet goes on")
    func added() async throws {
        var database = try await controlDatabase()
        let before = try columns(of: "tenant_usage", on: &database)
        let stage = try MetricStage(&database)
        try database.run(
            script: "select tenantry.add_metric('paper', true, 'hard'), tenantry.add_metric('rooms', true, 'soft', false)")
        let after = try columns(of: "tenant_usage", on: &database)
        #expect(after.subtracting(before) == ["paper", "paper_alert_at", "rooms", "rooms_alert_at"])
        try #expect(columns(of: "usage_deltas", on: &database).isSuperset(of: ["paper", "rooms"]))
        try database.run(
            script: "insert into tenantry.plan_limits values ('own', 'paper', 1, 'hard'), ('own', 'rooms', 1, 'hard')")
        try stage.book(on: &database)
        let names = Set(try UsageTotal.read(account: "acme", on: &database).map(\.metric))
        #expect(names == Set(Metric.allCases))
        let shown = try database.query("select metric from tenantry.current_usage where tenant = 'shop'").decode(String.self)
        #expect(Set(shown) == Set(Metric.ofTenants.map(\.rawValue) + ["paper"]), "rooms are the account's")
    }

    private func columns(of table: String, on database: inout Connection) throws -> Set<String> {
        Set(
            try database.query(
                "select column_name::text from information_schema.columns where table_schema = 'tenantry' and table_name = $1",
                table
            ).decode(String.self))
    }
}

@Suite("Each metric under its own name") struct MetricValueTests {
    @Test("What is booked of each metric is swept, shown, reported, measured against its own limit and refused by it")
    func everywhere() async throws {
        var database = try await controlDatabase()
        let stage = try MetricStage(&database)
        try stage.book(on: &database)
        for (tenant, metrics) in [("shop" as String?, Metric.ofTenants), (nil, Metric.allCases)] {
            let expected = metrics.map { "\($0.rawValue) \(MetricTests.value($0)) of \(MetricTests.value($0))" }
            let shown = try database.query(
                """
                select u.metric, u.value, u.limit_value from tenantry.current_usage u join tenantry.metrics m on m.name = u.metric
                where u.account = 'acme' and u.tenant is not distinct from $1 order by m.position
                """, tenant
            ).decode { (metric: String, value: Int64, limit: Int64) in "\(metric) \(value) of \(limit)" }
            #expect(shown == expected, "tenantry.current_usage")
            let totals = try UsageTotal.read(account: "acme", on: &database).filter { $0.tenant == tenant }
            #expect(totals.map { "\($0.metric.rawValue) \($0.value) of \($0.limit ?? -1)" } == expected)
            #expect(totals.allSatisfy { $0.pool == $0.value })
            let alerts = try database.query(SQL.alerts, tenant).decode { (metric: String, value: Int64, limit: Int64) in
                "\(metric) \(value) of \(limit)"
            }
            #expect(alerts == expected, "alerts")
        }
        let top = try database.query(SQL.top).decode { (metric: String, tenant: String, value: Int64) in
            "\(metric) \(tenant) \(value)"
        }
        #expect(top == Metric.ofTenants.map { "\($0.rawValue) shop \(MetricTests.value($0))" }, "the pool's largest tenants")
    }

    @Test("A hard limit refuses by its own metric's value", arguments: Metric.ofTenants)
    func refused(_ metric: Metric) async throws {
        var database = try await controlDatabase()
        let stage = try MetricStage(&database)
        try stage.book(on: &database)
        let refusal = try database.transaction { database in
            try #require(throws: Rejection.self) {
                try HardLimits.check(
                    account: "acme", tenant: "shop", period: stage.period, counts: [metric: 1], on: &database)
            }
        }
        let value = MetricTests.value(metric)
        #expect(refusal.code == .limitReached)
        #expect(refusal.message.contains("limit of \(metric.rawValue): limit \(value), value \(value), asked for 1 more"))
    }

    @Test("A tenant that goes gives back all that it holds, and keeps what it has used")
    func released() async throws {
        var database = try await controlDatabase()
        let stage = try MetricStage(&database)
        try stage.book(on: &database)
        try database.transaction { database in try Meter.releaseGauges(of: "shop", account: "acme", on: &database) }
        try PoolSweep.run(on: &database)
        for tenant in ["shop", nil] {
            for total in try UsageTotal.read(account: "acme", on: &database) where total.tenant == tenant {
                let isGone = total.metric.isGauge && total.metric.isForTenants
                #expect(total.value == (isGone ? 0 : MetricTests.value(total.metric)), "\(total.metric)")
            }
        }
    }

    private enum SQL {
        static let alerts: Statement = """
            select a.metric, a.value, a.limit_value from tenantry.alerts a join tenantry.metrics m on m.name = a.metric
            where a.tenant is not distinct from $1 and a.state = 'breached' order by m.position
            """
        static let top: Statement = """
            select a.metric, t.value ->> 'tenant', (t.value ->> 'value')::int8
            from tenantry.alerts a join tenantry.metrics m on m.name = a.metric
            cross join lateral jsonb_array_elements(a.event::jsonb -> 'data' -> 'top_tenants') t
            where a.tenant is null order by m.position
            """
    }
}

/// An account with one tenant that has used all that its plan allows, of each metric another number.
private struct MetricStage {
    let period: BillingPeriod

    init(_ database: inout Connection) throws {
        let limits = Metric.allCases.map { ($0, Plan.Limit(value: MetricTests.value($0), mode: .hard)) }
        _ = try Plan.apply(
            [Plan(name: "own", displayName: "Own", thresholds: [100], limits: Dictionary(uniqueKeysWithValues: limits))],
            on: &database)
        try database.run(
            script: """
                insert into tenantry.accounts (slug, display_name, plan) values ('acme', 'Acme', 'own');
                insert into tenantry.tenants (slug, account, schema_name, display_name, plan) values ('shop', 'acme', 'tenant_shop', 'Shop', 'own');
                """)
        period = try database.query("select period_start, period_end from tenantry.period(now(), 'UTC', 1)")
            .decode(BillingPeriod.init)[0]
    }

    func book(on database: inout Connection) throws {
        func counts(_ metrics: [Metric]) -> UsageCounts {
            var counts = UsageCounts()
            for metric in metrics { counts[metric] = MetricTests.value(metric) }
            return counts
        }
        try database.transaction { database in
            try Meter.book(
                [
                    UsageBooking(account: "acme", tenant: "shop", period: period, counts: counts(Metric.flows)),
                    UsageBooking(
                        account: "acme", tenant: "shop", period: .always,
                        counts: counts(Metric.allCases.filter { $0.isGauge && $0.isForTenants })),
                    UsageBooking(
                        account: "acme", tenant: nil, period: .always, counts: counts(Metric.allCases.filter { !$0.isForTenants })
                    ),
                ], on: &database)
        }
        try PoolSweep.run(on: &database)
    }
}
