internal import Contract
public import Jobs
internal import Metering
internal import Postgres

extension UsageView.MetricValue {
    public static let representation = Representation<Self> {
        Representation.Member.word("metric", \.metric)
        Representation.Member.number("value", \.value)
        Representation.Member.number("limit", \.limit)
        Representation.Member("mode", schema: ["type": ["string", "null"], "enum": ["soft", "hard", .null]]) {
            $0.mode.map { .string($0.rawValue) } ?? .null
        }
        Representation.Member("share", schema: ["type": ["number", "null"], "minimum": 0, "maximum": 1]) {
            $0.share.map { .double($0) } ?? .null
        }
        Representation.Member.number("projection", \.projection)
        Representation.Member.instant("reached_at", \.reachedAt)
    }
}

extension UsageView.HistoryEntry {
    /// Also the columns of a CSV file: `start, metric, value`.
    public static let representation = Representation<Self> {
        Representation.Member.instant("start", \.start)
        Representation.Member.word("metric", \.metric)
        Representation.Member.number("value", \.value)
    }
}

extension UsageView.TenantValue {
    public static let representation = Representation<Self> {
        Representation.Member.text("tenant", \.tenant)
        Representation.Member.word("metric", \.metric)
        Representation.Member.number("value", \.value)
        Representation.Member("share", schema: ["type": "number", "minimum": 0, "maximum": 1]) { .double($0.share) }
    }
}

extension UsageView {
    public static let representation = Representation<Self> {
        Representation.Member.text("account", \.account)
        Representation.Member.text("tenant", \.tenant)
        Representation.Member("period", schema: ["type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"]) { .string($0.month) }
        Representation.Member.instant("period_start", \.period.start)
        Representation.Member.instant("period_end", \.period.end)
        Representation.Member.text("timezone", \.timezone)
        Representation.Member("metrics", schema: list(of: MetricValue.representation)) {
            .array($0.metrics.map(MetricValue.representation.json))
        }
        Representation.Member("history", schema: list(of: HistoryEntry.representation)) {
            .array($0.history.map(HistoryEntry.representation.json))
        }
        Representation.Member("tenants", schema: list(of: TenantValue.representation)) {
            .array($0.tenants.map(TenantValue.representation.json))
        }
    }

    private static func list<Value>(of representation: Representation<Value>) -> JSONValue {
        ["type": "array", "items": representation.schema]
    }
}
