/// What is metered (contract, section 6).
///
/// A new metric is a case here and a line in ``line``. The compiler, and tests by name, ask for the rest; the article "Adding a metric" of
/// `Metering` lists it.
public enum Metric: String, Sendable, CaseIterable, ClosedWord {
    case messages, conversations
    case activeUsers = "active_users"
    case tokens
    case childTenants = "child_tenants"
    case documents
    case corpusBytes = "corpus_bytes"

    /// How a metric is counted.
    @usableFromInline
    enum Nature: Sendable {
        /// From zero in every period.
        case flow
        /// A present value, which belongs to no period.
        case gauge
        /// A present value that only accounts have.
        case accountGauge
    }

    /// The table of metrics: the place of each among the counters, from 0 in the order of the cases, and how it is counted.
    @inlinable
    var line: (place: Int, nature: Nature) {
        switch self {
        case .messages: (0, .flow)
        case .conversations: (1, .flow)
        case .activeUsers: (2, .flow)
        case .tokens: (3, .flow)
        case .childTenants: (4, .accountGauge)
        case .documents: (5, .gauge)
        case .corpusBytes: (6, .gauge)
        }
    }

    /// Its index in `allCases`.
    @inlinable
    public var place: Int { line.place }

    /// A gauge has a present value and no period; the others count from zero in every period.
    public var isGauge: Bool { line.nature != .flow }

    /// Only an account has child tenants.
    public var isForTenants: Bool { line.nature != .accountGauge }

    /// For people: `Active users`.
    public var title: String {
        let words = rawValue.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
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
