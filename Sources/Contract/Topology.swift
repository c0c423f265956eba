/// The names of what lies on the broker (contract, section 3). Queues of the families: `Family.queue`.
public enum Topology {
    public static let jobsExchange = "tenantry.jobs"
    public static let retryExchange = "tenantry.retry"
    public static let deadExchange = "tenantry.dead"
    public static let alertsExchange = "tenantry.alerts"
    public static let eventsExchange = "tenantry.events"

    /// Alternate exchange of `tenantry.jobs`, a fanout: what no family binds.
    public static let unroutableExchange = "tenantry.unroutable"
    /// Where the unroutable jobs wait until a worker dead-letters them as `unknown_kind`.
    public static let unroutableQueue = "tenantry.unroutable"
    public static let deadQueue = "tenantry.dead"
    /// What must not wait behind others' work: credentials that are withdrawn, tenants that are suspended, accounts.
    public static let controlQueue = "tenantry.control"
    /// No queue has this name: what is sent there over the default exchange is confirmed, and gone.
    public static let noQueue = "tenantry.none"

    /// Whether a `reply_to` of this name would feed answers into the fleet itself, which is refused: a family's queue or one of its
    /// partitions, a delay queue, the queues of unroutable and dead jobs.
    public static func isFleetQueue(_ name: String) -> Bool {
        ownQueues.contains { name == $0 || name.hasPrefix($0 + ".") }
    }

    private static let ownQueues = Family.allCases.map(\.queue) + [retryExchange, unroutableQueue, deadQueue, controlQueue]
}

/// Routing keys on `tenantry.events`.
public enum EventKey {
    /// `job.<succeeded|rejected>.<kind>`
    public static func job(_ status: Answer.Status, _ kind: Kind) -> String {
        "job.\(status.rawValue).\(kind.name)"
    }
}
