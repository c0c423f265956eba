internal import DequeModule

/// What was sent and is not yet answered, and what came back: the bookkeeping of one connection's pipeline.
///
/// A pure value. Answers come in the order of the sends; after an error the server skips everything up to the next sync.
struct Pipeline {
    /// Something that the server answers.
    enum Request {
        case prepare(Statement, name: String)
        case deallocate(name: String)
        case execute(Statement, name: String)
        /// BEGIN, COMMIT or ROLLBACK, which have no rows.
        case control(String)
        case sync

        var sql: String? {
            switch self {
            case .prepare(let statement, _), .execute(let statement, _): statement.sql
            case .deallocate(let name): "DEALLOCATE \(name)"
            case .control(let sql): sql
            case .sync: nil
            }
        }
    }

    private var requests: Deque<Request> = []
    /// True once the oldest request's result is here; the NULL by which libpq ends it has yet to come.
    var oldestHasResult = false
    /// Something was sent since the last sync.
    private(set) var needsSync = false
    /// Executions since the last collect, whose rows the caller has yet to fetch.
    private(set) var uncollected = 0

    var rows: [Rows] = []
    var firstError: PostgresError?
    /// The command tag of the last control statement.
    var controlTag = ""

    /// Server-side names whose DEALLOCATE did not happen yet.
    private var staleNames: [String] = []
    /// Names whose preparation failed since the last sync: they need no DEALLOCATE.
    private var unprepared: Set<String> = []

    var oldest: Request? { requests.first }

    mutating func sent(_ request: Request) {
        switch request {
        case .sync: needsSync = false
        case .execute:
            uncollected += 1
            needsSync = true
        default: needsSync = true
        }
        requests.append(request)
    }

    /// The oldest request is answered.
    mutating func advance() {
        oldestHasResult = false
        if case .sync = requests.removeFirst() { unprepared.removeAll(keepingCapacity: true) }
    }

    mutating func failed(_ error: PostgresError) {
        if firstError == nil { firstError = error }
    }

    mutating func notPrepared(_ name: String) { unprepared.insert(name) }

    /// A name that must still be deallocated, unless its preparation failed.
    mutating func notDeallocated(_ name: String) {
        if !unprepared.contains(name) { staleNames.append(name) }
    }

    mutating func takeStaleNames() -> [String] {
        defer { staleNames = [] }
        return staleNames
    }

    /// Ends a round: hands over the rows, or throws the first error.
    mutating func takeOutcome() throws(PostgresError) -> [Rows] {
        uncollected = 0
        let taken = rows
        rows = []
        if let error = firstError {
            firstError = nil
            throw error
        }
        return taken
    }

    /// Ends a round and drops its rows and its error.
    mutating func dropOutcome() {
        uncollected = 0
        rows = []
        firstError = nil
    }

    /// Forgets everything, when the connection is gone.
    mutating func removeAll() { self = Pipeline() }
}
