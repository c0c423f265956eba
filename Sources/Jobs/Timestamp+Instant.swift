public import Contract
public import Postgres

/// The database's `Timestamp` and the contract's `Instant` are the same moment; the text form, RFC 3339, is the contract's.
extension Timestamp {
    /// The system's wall clock.
    public static func now() -> Timestamp { Timestamp(microsecondsSince1970: SystemClock.nowMicroseconds()) }

    public init(_ instant: Instant) { self.init(microsecondsSince1970: instant.microsecondsSince1970) }

    /// nil where the text is no RFC 3339 date-time.
    public init?(rfc3339 text: String) {
        guard let instant = Instant(text) else { return nil }
        self.init(instant)
    }

    /// `2026-11-23T01:00:00.000Z`, with six fractional digits where three would lose something. The infinite ones, which RFC 3339 does not
    /// know, are `infinity` and `-infinity`.
    public var rfc3339: String {
        guard isFinite else { return self == .distantPast ? "-infinity" : "infinity" }
        return RFC3339.text(microsecondsSince1970)
    }
}
