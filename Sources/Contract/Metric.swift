/// What is metered (contract, section 6).
public enum Metric: String, Sendable, CaseIterable, ClosedWord {
    case messages, conversations
    case activeUsers = "active_users"
    case tokens
    case childTenants = "child_tenants"
    case documents
    case corpusBytes = "corpus_bytes"

    /// A gauge has a present value and no period; the others count from zero in every period.
    public var isGauge: Bool {
        switch self {
        case .messages, .conversations, .activeUsers, .tokens: false
        case .childTenants, .documents, .corpusBytes: true
        }
    }

    /// Only an account has child tenants.
    public var isForTenants: Bool { self != .childTenants }
}

/// The most of a metric that a custom limit allows.
public enum Limit: Sendable, Hashable {
    case unlimited
    case most(Int64)

    /// nil is unlimited.
    public var value: Int64? {
        switch self {
        case .unlimited: nil
        case .most(let value): value
        }
    }
}

/// Custom limits: `{metric: integer ≥ 0, or null for unlimited}`. A metric that is not named keeps its plan's limit.
public struct Limits: Sendable, Hashable {
    public var values: [Metric: Limit]

    public init(_ values: [Metric: Limit] = [:]) {
        self.values = values
    }

    public subscript(_ metric: Metric) -> Limit? {
        get { values[metric] }
        set { values[metric] = newValue }
    }

    /// The limits in the order of `Metric.allCases`, so that whatever is made of them comes out the same every time.
    public var ordered: [(metric: Metric, limit: Limit)] {
        Metric.allCases.compactMap { metric in values[metric].map { (metric, $0) } }
    }

    static func schema(forTenants: Bool) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for metric in Metric.allCases where !forTenants || metric.isForTenants {
            properties[metric.rawValue] = ["type": ["integer", "null"], "minimum": 0, "maximum": .int(.max)]
        }
        return [
            "type": ["object", "null"], "properties": .object(properties), "additionalProperties": false,
            "description": "Custom limits; null means unlimited.",
        ]
    }
}
