extension AlertEvent {
    /// Who crossed what.
    public struct Data: Sendable, Equatable {
        /// A tenant's share of its account's pool.
        public struct TopTenant: Sendable, Equatable {
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
        /// Further hundreds that were crossed at the same time and have no alert of their own.
        public var alsoCrossed: Int
        public var plan: String
        /// nil for a gauge, which has no period; half-open otherwise.
        public var periodStart: Instant?
        public var periodEnd: Instant?
        public var timezone: String
        public var topTenants: [TopTenant]

        public init(
            account: String, tenant: String?, metric: Metric, mode: Mode, limit: Int64?, value: Int64, previousValue: Int64,
            thresholdPercent: Int, alsoCrossed: Int = 0, plan: String, periodStart: Instant?, periodEnd: Instant?,
            timezone: String = "UTC",
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
            self.alsoCrossed = alsoCrossed
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

extension AlertEvent.Data {
    /// Every field is written: what does not apply is null, never absent.
    static let fields = Fields(
        AlertEvent.Data(
            account: "", tenant: nil, metric: .messages, mode: .soft, limit: nil, value: 0, previousValue: 0, thresholdPercent: 0,
            plan: "", periodStart: nil, periodEnd: nil)
    ) {
        Field("account", \.account, .slug)
        Field("tenant", \.tenant, .slug)
        Field<AlertEvent.Data>.derived("scope", schema: ["type": "string", "enum": ["tenant", "pool"]]) { .string($0.scope) }
        Field("metric", \.metric, .word)
        Field("mode", \.mode, .word)
        Field("limit", \.limit, .count)
        Field("value", \.value, .count)
        Field("previous_value", \.previousValue, .count)
        Field("threshold_percent", \.thresholdPercent, .count)
        Field("also_crossed", \.alsoCrossed, .count)
        Field("plan", \.plan, .anyText)
        Field("period_start", \.periodStart, .instant)
        Field("period_end", \.periodEnd, .instant)
        Field("timezone", \.timezone, .anyText)
        Field("top_tenants", \.topTenants, .list(.object(TopTenant.fields)))
    }
}

extension AlertEvent.Data.TopTenant {
    static let fields = Fields(AlertEvent.Data.TopTenant(tenant: "", value: 0)) {
        Field("tenant", \.tenant, .slug)
        Field("value", \.value, .count)
    }
}
