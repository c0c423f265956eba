public import Contract
public import Postgres

/// What handlers need to know of a tenant, as it was when the batch began.
public final class TenantRecord: Sendable {
    public let slug: String
    public let account: String
    public let schema: Identifier
    public let state: TenantState
    public let timezone: String
    public let billingAnchorDay: Int64
    /// The end of the last billing period that is closed. Usage of a time before it is booked in the open period.
    public let closedThrough: Timestamp
    /// The beginning of the account's first billing period. Nothing is booked before it.
    public let meteredFrom: Timestamp
    /// Whether the account or the tenant may have a hard limit on a metric that jobs add to; such jobs are checked one by one.
    public let mayHaveHardFlowLimit: Bool
    /// Whether messages were ever erased. New messages are then compared with the erased ones, so that none of these comes back.
    public let hasErasures: Bool
    /// What the tenant's own plan allows of jobs on it a minute; nil: as many as its account's does.
    public let jobsPerMinute: Int64?

    public init(
        slug: String, account: String, schema: Identifier, state: TenantState, timezone: String, billingAnchorDay: Int64,
        closedThrough: Timestamp, meteredFrom: Timestamp, mayHaveHardFlowLimit: Bool, hasErasures: Bool = false,
        jobsPerMinute: Int64? = nil
    ) {
        self.slug = slug
        self.account = account
        self.schema = schema
        self.state = state
        self.timezone = timezone
        self.billingAnchorDay = billingAnchorDay
        self.closedThrough = closedThrough
        self.meteredFrom = meteredFrom
        self.mayHaveHardFlowLimit = mayHaveHardFlowLimit
        self.hasErasures = hasErasures
        self.jobsPerMinute = jobsPerMinute
    }
}
