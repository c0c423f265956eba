extension AlertEvent {
    /// Who crossed what.
    public struct Data: Sendable, Equatable {
        /// A tenant's share of its account's pool.
        public struct TopTenant: Codable, Sendable, Equatable {
            public var tenant: String
            public var value: Int64

            public init(tenant: String, value: Int64) {
                self.tenant = tenant
                self.value = value
            }
        }

        public var account: String
        /// nil is the account's pool.
        public var tenant: String?
        public var metric: Metric
        public var mode: Mode
        /// nil is unlimited, which only an alert that is resolved can meet.
        public var limit: Int64?
        public var value: Int64
        public var previousValue: Int64
        public var thresholdPercent: Int
        public var plan: String
        /// nil for a gauge, which has no period; half-open otherwise.
        public var periodStart: Instant?
        public var periodEnd: Instant?
        public var timezone: String
        public var topTenants: [TopTenant]

        public init(
            account: String, tenant: String?, metric: Metric, mode: Mode, limit: Int64?, value: Int64, previousValue: Int64,
            thresholdPercent: Int, plan: String, periodStart: Instant?, periodEnd: Instant?, timezone: String = "UTC",
            topTenants: [TopTenant] = []
        ) {
            self.account = account
            self.tenant = tenant
            self.metric = metric
            self.mode = mode
            self.limit = limit
            self.value = value
            self.previousValue = previousValue
            self.thresholdPercent = thresholdPercent
            self.plan = plan
            self.periodStart = periodStart
            self.periodEnd = periodEnd
            self.timezone = timezone
            self.topTenants = topTenants
        }

        /// `tenant` or `pool`.
        public var scope: String { tenant == nil ? "pool" : "tenant" }
    }
}

extension AlertEvent.Data: Codable {
    private enum CodingKeys: String, CodingKey {
        case account, tenant, scope, metric, mode, limit, value, plan, timezone
        case previousValue = "previous_value"
        case thresholdPercent = "threshold_percent"
        case periodStart = "period_start"
        case periodEnd = "period_end"
        case topTenants = "top_tenants"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        account = try container.decode(String.self, forKey: .account)
        tenant = try container.decodeIfPresent(String.self, forKey: .tenant)
        metric = try container.decode(Metric.self, forKey: .metric)
        mode = try container.decode(AlertEvent.Mode.self, forKey: .mode)
        limit = try container.decodeIfPresent(Int64.self, forKey: .limit)
        value = try container.decode(Int64.self, forKey: .value)
        previousValue = try container.decode(Int64.self, forKey: .previousValue)
        thresholdPercent = try container.decode(Int.self, forKey: .thresholdPercent)
        plan = try container.decode(String.self, forKey: .plan)
        periodStart = try container.decodeIfPresent(Instant.self, forKey: .periodStart)
        periodEnd = try container.decodeIfPresent(Instant.self, forKey: .periodEnd)
        timezone = try container.decode(String.self, forKey: .timezone)
        topTenants = try container.decode([TopTenant].self, forKey: .topTenants)
    }

    /// Every key is written: what does not apply is null, never absent.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(account, forKey: .account)
        try container.encode(tenant, forKey: .tenant)
        try container.encode(scope, forKey: .scope)
        try container.encode(metric, forKey: .metric)
        try container.encode(mode, forKey: .mode)
        try container.encode(limit, forKey: .limit)
        try container.encode(value, forKey: .value)
        try container.encode(previousValue, forKey: .previousValue)
        try container.encode(thresholdPercent, forKey: .thresholdPercent)
        try container.encode(plan, forKey: .plan)
        try container.encode(periodStart, forKey: .periodStart)
        try container.encode(periodEnd, forKey: .periodEnd)
        try container.encode(timezone, forKey: .timezone)
        try container.encode(topTenants, forKey: .topTenants)
    }

    static let schema = Schema.object(
        required: [
            "account", "tenant", "scope", "metric", "mode", "limit", "value", "previous_value", "threshold_percent", "plan",
            "period_start", "period_end", "timezone", "top_tenants",
        ],
        [
            "account": Slug.schema, "tenant": Schema.optional(Slug.schema),
            "scope": ["type": "string", "enum": ["tenant", "pool"]],
            "metric": Metric.schema, "mode": AlertEvent.Mode.schema, "limit": Schema.optional(Schema.count),
            "value": Schema.count,
            "previous_value": Schema.count, "threshold_percent": Schema.count, "plan": Schema.anyText,
            "period_start": Schema.optional(Instant.schema), "period_end": Schema.optional(Instant.schema),
            "timezone": Schema.anyText,
            "top_tenants": Schema.list(
                Schema.object(required: ["tenant", "value"], ["tenant": Slug.schema, "value": Schema.count])),
        ])
}
