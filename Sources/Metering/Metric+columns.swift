public import Contract

extension Metric {
    /// What is counted from zero in every period.
    public static let flows = allCases.filter { !$0.isGauge }
    /// What a tenant has, too.
    public static let ofTenants = allCases.filter(\.isForTenants)
    /// Flows of which `tenantry.late_usage` notes what was booked after the end of its own period. The others stay where they are booked.
    public static let late: [Metric] = [.messages, .tokens]

    /// The name of its column in every table of counters.
    public var column: String { rawValue }
    /// The column with the value at which its next threshold lies.
    static func alertColumn(_ column: String) -> String { "\(column)_alert_at" }

    /// Every metric's number as one `int8[]`, in the order of the cases: what ``UsageCounts`` is read from.
    ///
    /// - Parameter number: SQL for the number of a metric; nil where it has none.
    public static func counts(_ number: (Metric) -> String?) -> String {
        "array[\(allCases.map { number($0) ?? "0" }.joined(separator: ", "))]::int8[]"
    }
}

/// SQL made from the table of metrics, so that no statement lists them by hand. Statements are made once, as `static let`.
extension Sequence<Metric> {
    /// What `text` makes of each column, one after the other.
    public func columns(separator: String = ", ", _ text: (String) -> String) -> String {
        map { text($0.column) }.joined(separator: separator)
    }

    /// `messages, conversations, …`
    public var columns: String { columns { $0 } }

    /// The column of `row` that `metric` names: `case l.metric when 'messages' then u.messages … end`.
    public func value(of metric: String, in row: String) -> String {
        "case \(metric) \(columns(separator: " ") { "when '\($0)' then \(row).\($0)" }) end"
    }

    /// As many parameters, `$5::int8[], $6::int8[], …`, an array of numbers for each metric.
    func arrays(from first: Int) -> String {
        enumerated().map { "$\(first + $0.offset)::int8[]" }.joined(separator: ", ")
    }
}
