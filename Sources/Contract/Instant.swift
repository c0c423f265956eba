/// A point in time, to the microsecond; in JSON an RFC 3339 text.
public struct Instant: Sendable, Hashable, Comparable {
    public var microsecondsSince1970: Int64

    public init(microsecondsSince1970: Int64) {
        self.microsecondsSince1970 = microsecondsSince1970
    }

    /// nil where the text is no RFC 3339 date-time.
    public init?(_ text: String) {
        guard let microseconds = RFC3339.microseconds(text) else { return nil }
        self.init(microsecondsSince1970: microseconds)
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }

    static let schema: JSONValue = [
        "type": "string", "format": "date-time",
        // Validators need not look at `format` (JSON Schema 2020-12, section 7.2.1).
        "pattern": #"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"#,
    ]
}

extension Instant: CustomStringConvertible {
    public var description: String { RFC3339.text(microsecondsSince1970) }
}
