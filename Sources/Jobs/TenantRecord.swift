public import Contract
public import Postgres

/// What the fleet needs to know of a tenant to work on it; a snapshot as of the batch's beginning.
public final class TenantRecord: Sendable {
    public let slug: String
    public let account: String
    public let schema: Identifier
    public let state: TenantState
    public let timezone: String
    public let billingAnchorDay: Int64
    /// Usage of an earlier time is booked in the open period.
    public let closedThrough: Timestamp
    /// Whether a plan of the account or the tenant has a hard limit on something that jobs count up: such jobs are checked one by one.
    public let mayHaveHardFlowLimit: Bool
    /// Whether something of it was ever erased: what comes again must be held against that.
    public let hasErasures: Bool

    public init(
        slug: String, account: String, schema: Identifier, state: TenantState, timezone: String, billingAnchorDay: Int64,
        closedThrough: Timestamp, mayHaveHardFlowLimit: Bool, hasErasures: Bool = false
    ) {
        self.slug = slug
        self.account = account
        self.schema = schema
        self.state = state
        self.timezone = timezone
        self.billingAnchorDay = billingAnchorDay
        self.closedThrough = closedThrough
        self.mayHaveHardFlowLimit = mayHaveHardFlowLimit
        self.hasErasures = hasErasures
    }
}
