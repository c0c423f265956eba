internal import CLibPQ

extension Connection {
    /// Runs SQL text with any number of statements, in the simple protocol: DDL, migrations. Works inside an open
    /// transaction; outside of one, the whole text is one transaction.
    /// - Throws: the first error, or a usage error if sent statements are not collected yet or the text has a COPY.
    public mutating func run(script: String) throws(PostgresError) {
        try leavePipeline()
        let failure = runSimple(script)
        try enterPipeline()
        if let failure { throw failure }
    }

    /// Hears `NOTIFY` on a channel from now on.
    public mutating func listen(_ channel: Identifier) throws(PostgresError) { try run(script: "LISTEN \(channel.quoted)") }

    public struct Notification: Sendable, Equatable {
        public var channel: String
        public var payload: String
        /// Who notified, as in `pg_stat_activity.pid`.
        public var processID: Int32

        public init(channel: String, payload: String, processID: Int32) {
            self.channel = channel
            self.payload = payload
            self.processID = processID
        }
    }

    /// What has been notified since the last call, without waiting; poll `descriptor` to wait.
    public mutating func notifications() throws(PostgresError) -> [Notification] {
        try requireUsable()
        guard PQconsumeInput(handle) == 1 else { throw lost() }
        absorb()
        var found: [Notification] = []
        while let notification = PQnotifies(handle) {
            let fields = notification.pointee
            found.append(
                Notification(
                    channel: String(cString: fields.relname), payload: String(cString: fields.extra), processID: fields.be_pid))
            PQfreemem(notification)
        }
        return found
    }

    /// Empties the pipeline and leaves its mode, for what only works outside: scripts and COPY.
    mutating func leavePipeline() throws(PostgresError) {
        try requireNothingUncollected()
        try settle()
        _ = try pipeline.takeOutcome()
        guard PQexitPipelineMode(handle) == 1 else { throw lost() }
    }

    mutating func enterPipeline() throws(PostgresError) {
        guard isUsable else { return }
        guard PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    /// Sends text outside of the pipeline.
    mutating func sendSimple(_ sql: String) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw PostgresError(.usage, "NUL in an SQL text") }
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
    }

    /// The next result outside of the pipeline; nil when there are no more.
    mutating func nextResult() throws(PostgresError) -> OpaquePointer? {
        while true {
            let isFlushed = try flush()
            if PQisBusy(handle) == 0 { return PQgetResult(handle) }
            // When the connection is gone, libpq may still hold what the server said last.
            if !wait(writing: !isFlushed), PQisBusy(handle) != 0 { throw lost() }
        }
    }

    private mutating func runSimple(_ script: String) -> PostgresError? {
        var first: PostgresError?
        do throws(PostgresError) {
            try sendSimple(script)
            while let result = try nextResult() {
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    // Ending it here would need its data read; nobody writes COPY into a migration.
                    isBroken = true
                    return PostgresError(.usage, "COPY in a script: use copyIn or copyOut", statement: script)
                default:
                    let error = self.error(of: result, statement: script)
                    if first == nil { first = error }
                    if error.isConnectionLoss {
                        isBroken = true
                        return error
                    }
                }
            }
        } catch {
            return first ?? error
        }
        return first
    }
}
