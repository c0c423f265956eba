/// Where a tenant stands in its life; what `tenantry.tenants.state` holds.
public enum TenantState: String, Sendable, CaseIterable, ClosedWord {
    case active
    /// Takes no jobs but those of its administration, until it is resumed.
    case suspended
    /// On its way out: takes no jobs, is purged after its retention time, and can be restored until then.
    case archived
    /// Its schema is gone. The slug stays taken, so that what was metered and billed under it stays its own.
    case purged
}

extension Set<TenantState> {
    /// While a tenant's data is there.
    public static let alive: Set<TenantState> = [.active, .suspended, .archived]
    /// While an account counts it among its child tenants.
    public static let counted: Set<TenantState> = [.active, .suspended]
}
