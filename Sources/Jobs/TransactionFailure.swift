internal import Contract
public import Postgres

/// What is to be done when the transaction of a batch fails.
public enum TransactionFailure: Sendable {
    /// Run the same jobs again at once: no job is at fault (serialization, deadlock, or a handler's ``RunAgain``).
    case again
    /// One of several jobs is at fault: halve the batch and try each half.
    case split
    /// The only job of the batch is at fault, or cannot be done now.
    case alone(Outcome)
    /// No job is at fault, and it passes or somebody mends it: each tenant's jobs by themselves, and those wait that it concerns. This does not count as
    /// an attempt.
    case apart(PostgresError, isEnvironment: Bool)
    /// The server is gone or out of resources: wait for it. This does not count as an attempt of the jobs.
    case databaseAway(PostgresError)

    public static let mostRepeats = 20

    /// - Parameters:
    ///   - error: what the handler or the commit threw.
    ///   - jobs: how many there are in the transaction.
    ///   - repeats: how often the same transaction has been repeated.
    public init(_ error: any Error, jobs: Int, repeats: Int) {
        let mayRepeat = repeats < Self.mostRepeats
        switch error {
        case let error as PostgresError:
            self.init(error, jobs: jobs, mayRepeat: mayRepeat)
        case let again as RunAgain:
            self = mayRepeat ? .again : jobs > 1 ? .split : .alone(.failed(cause: again.reason))
        case _ where jobs > 1:
            self = .split
        case let rejection as Rejection:
            self = .alone(.rejected(rejection))
        case let missing as NotYet:
            self = .alone(.notYet(missing.rejection))
        default:
            self = .alone(.failed(cause: "\(error)"))
        }
    }

    private init(_ error: PostgresError, jobs: Int, mayRepeat: Bool) {
        switch error.fault {
        case .server, .session: self = .databaseAway(error)
        case .collision where mayRepeat: self = .again
        case .collision, .time: self = .apart(error, isEnvironment: false)
        case .environment: self = .apart(error, isEnvironment: true)
        case _ where jobs > 1: self = .split
        case .overdue: self = .alone(.cancelled(cause: error.message))
        case .data where error.sqlState == "23505":
            self = .alone(
                .rejected(Rejection(.conflict, "it collides with what is there (\(error.constraint ?? "a unique key"))")))
        case .data: self = .alone(.rejected(Rejection(.invalidPayload, "the database refused its data: \(error.message)")))
        case .size, .unknown: self = .alone(.failed(cause: error.description))
        }
    }
}
