/// Which limit a job would have exceeded, as it stands beside the code `limit_reached` (contract, sections 2 and 12).
public struct ReachedLimit: Sendable, Equatable {
    /// nil where it is no metric but a bound of what one job or one thing may be.
    public var metric: Metric?
    public var limit: Int64
    /// What is used without the job.
    public var value: Int64
    /// Only what is hard refuses a job.
    public var mode: AlertEvent.Mode
    /// The end of the metric's period; nil for a gauge and for a bound.
    public var resetsAt: Instant?

    public init(metric: Metric?, limit: Int64, value: Int64, resetsAt: Instant?) {
        self.metric = metric
        self.limit = limit
        self.value = value
        self.mode = .hard
        self.resetsAt = resetsAt
    }

    /// A bound of what one thing may be, in bytes.
    public static func bound(_ limit: Int, value: Int64) -> ReachedLimit {
        ReachedLimit(metric: nil, limit: Int64(limit), value: value, resetsAt: nil)
    }

    private static let fields = Fields(ReachedLimit(metric: nil, limit: 0, value: 0, resetsAt: nil)) {
        Field("metric", \.metric, .word)
        Field("limit", \.limit, .count)
        Field("value", \.value, .count)
        Field("mode", \.mode, .word)
        Field("resets_at", \.resetsAt, .instant)
    }

    /// `{"metric", "limit", "value", "mode", "resets_at"}`; what does not apply is null.
    public var json: JSONValue { Self.fields.write(self, hasNulls: true) }

    /// JSON Schema (2020-12) of the same.
    public static let schema: JSONValue = fields.schema

    /// nil where an error has none.
    init?(_ error: [String: JSONValue]) throws(FieldFailure) {
        guard error["limit", default: .null] != .null else { return nil }
        self = try Self.fields.read(error)
    }
}
