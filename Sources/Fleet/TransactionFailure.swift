internal import Contract
internal import Postgres

/// What follows when the transaction of a batch fails.
enum TransactionFailure {
    /// The same again, at once: nobody's fault (serialization, deadlock).
    case again
    /// Some job of several is to blame: halve, and try each half.
    case split
    /// The one job is to blame, or cannot be done now.
    case alone(Outcome)
    /// The server is gone or out of resources: wait for it. Nobody's attempt.
    case databaseAway

    static let mostRepeats = 20

    init(_ error: PostgresError, jobs: Int, repeats: Int) {
        if error.isConnectionLoss || error.isReadOnly || error.isResourceShortage && !error.isTooMuchAtOnce {
            self = .databaseAway
        } else if error.isSerializationFailure, repeats < Self.mostRepeats {
            self = .again
        } else if jobs > 1 {
            self = .split
        } else if error.sqlState == "23505" {
            self = .alone(
                .rejected(Rejection(.conflict, "it collides with what is there (\(error.constraint ?? "a unique key"))")))
        } else if error.isDataFault {
            self = .alone(.rejected(Rejection(.invalidPayload, "the database refused its data: \(error.message)")))
        } else {
            self = .alone(.failed(cause: error.description))
        }
    }
}

extension PostgresError {
    /// The server has become a standby's or was made read-only: it is as good as away.
    fileprivate var isReadOnly: Bool { sqlState == "25006" }
    /// Locks or settings for so many schemas in one transaction are not there: fewer at a time go through.
    fileprivate var isTooMuchAtOnce: Bool { sqlState == "53200" || sqlState == "53400" }
}
