internal import Contract

/// The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
enum RetryAfter {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// - Parameter now: since 1970.
    /// - Returns: seconds from now; nil where it says nothing that can be read.
    static func seconds(_ text: String?, now: Double) -> Double? {
        guard let text else { return nil }
        if let seconds = UInt32(text) { return Double(seconds) }
        // Fri, 27 Nov 2026 12:00:00 GMT
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            let date = Instant("\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
        else { return nil }
        return max(0, Double(date.microsecondsSince1970) / 1_000_000 - now)
    }
}
