internal import Contract
public import Fleet

/// The family `usage`: roll-ups, pool totals and limits, brought up to date from the raw rows.
public enum UsageFamily {
    public static let family = JobFamily(.usage) { [usageAggregate()] }
}
