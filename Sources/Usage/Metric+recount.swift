internal import Contract
internal import Metering

/// How a metric's number is counted anew from the rows that it counts.
enum Recount {
    /// Rows that a flow is counted from, by their hour; see ``AggregateSQL/rollUp``.
    enum Source: String, CaseIterable {
        case messages, conversations
    }

    /// What happened in a period.
    ///
    /// - `of`: whose hours have a column of the metric's name.
    /// - `inPeriod`: SQL for the number in the period `$2`; `m` are the period's messages, as ``AggregateSQL/flowDifference`` counts them.
    /// - `erased`: the column of `tenantry.erased_usage` that keeps what of a period's number was erased.
    case flow(of: Source, inPeriod: String, erased: String)
    /// What is there: an aggregate over the rows of one of the tenant's tables.
    case gauge(String, of: String)
    /// What an account has: SQL for its number, the account being `$1`.
    case accountGauge(String)
}

extension Metric {
    /// A new metric says here how it is counted; `{schema}` stands for the tenant's schema.
    var recount: Recount {
        switch self {
        case .messages: .flow(of: .messages, inPeriod: "m.messages", erased: "messages")
        case .conversations:
            .flow(
                of: .conversations, inPeriod: "(select count(*) from {schema}.conversations where period_start = $2)",
                erased: "conversations")
        case .activeUsers:
            .flow(
                of: .messages, inPeriod: "(select count(*) from {schema}.active_users where period_start = $2)",
                erased: "period_users")
        case .tokens: .flow(of: .messages, inPeriod: "m.tokens", erased: "tokens")
        case .childTenants:
            .accountGauge("select count(*) from tenantry.tenants where account = $1 and state in ('active', 'suspended')")
        case .documents: .gauge("count(*)", of: "documents")
        case .corpusBytes: .gauge("coalesce(sum(greatest(content_bytes, text_bytes)), 0)", of: "documents")
        }
    }
}
