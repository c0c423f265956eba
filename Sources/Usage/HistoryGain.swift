internal import Postgres

/// What roll-ups of several tenants changed, summed up: their account's hours and days change by as much.
struct HistoryGain {
    private struct Hour: Hashable {
        let start: Timestamp
        let metric: String
    }

    private var hours: [Hour: Int64] = [:]
    private var days: [Timestamp: Int64] = [:]

    /// - Parameter rows: the answer of `RecountSQL.rollUp`.
    mutating func add(_ rows: Rows) {
        for (start, metric, difference) in rows.decode((Timestamp, String?, Int64).self) {
            if let metric {
                hours[Hour(start: start, metric: metric), default: 0] += difference
            } else {
                days[start, default: 0] += difference
            }
        }
    }

    /// Adds it to the account's. The caller has the account's turn: nobody else writes there.
    func book(account: String, on database: inout Transaction) throws(PostgresError) {
        let hours = hours.filter { $0.value != 0 }
        if !hours.isEmpty {
            _ = try database.query(
                AggregateSQL.bookHours, account, hours.map(\.key.start), hours.map(\.key.metric), hours.map(\.value))
        }
        let days = days.filter { $0.value != 0 }
        guard !days.isEmpty else { return }
        _ = try database.query(AggregateSQL.bookDays, account, days.map(\.key), days.map(\.value))
    }
}
