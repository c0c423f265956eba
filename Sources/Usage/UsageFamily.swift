internal import Contract
public import Jobs

/// The kind `usage.aggregate`: roll-ups, pool totals and limits, brought up to date from the raw rows.
public enum UsageFamily {
    public static func handlers() -> [any JobHandler] { [usageAggregate()] }
}
