// swift-format-ignore-file: AmbiguousTrailingClosureOverload
// The compiler prefers the typed `transaction` wherever it fits.

internal import CLibPQ

extension Connection {
    /// Opens a transaction. It is sent with the first statement, so it costs no round trip; an error comes with that.
    /// - Parameter mode: for example `ISOLATION LEVEL REPEATABLE READ`.
    public mutating func begin(_ mode: String = "") throws(PostgresError) {
        try requireNothingUncollected()
        try sendControl(mode.isEmpty ? "BEGIN" : "BEGIN " + mode)
        if let fence { try sendControl(fence) }
        deadline?.start()
    }

    /// Commits, together with what was sent and not collected, whose rows are dropped.
    /// - Throws: the first error, also if the transaction had failed before (25P02). After a connection loss the outcome
    ///   is unknown.
    public mutating func commit() throws(PostgresError) {
        if let fence { try sendControl(fence) }
        // The time goes on: a COMMIT that is cancelled either says so, and was none, or has gone through.
        try sendControl("COMMIT")
        _ = try collect()
        deadline?.stop()
        // COMMIT of a failed transaction is a ROLLBACK that reports success.
        guard pipeline.controlTag == "COMMIT" else {
            throw PostgresError(
                .server, "the transaction had failed and was rolled back", sqlState: "25P02", statement: "COMMIT")
        }
    }

    /// Drops what was sent and not collected, and rolls back if a transaction is open.
    public mutating func rollback() throws(PostgresError) {
        deadline?.stop()
        try discard()
        guard PQtransactionStatus(handle) != PQTRANS_IDLE else { return }
        try sendControl("ROLLBACK")
        _ = try collect()
    }

    /// Begins, runs the body, commits; rolls back if anything throws.
    /// - Parameter mode: for example `ISOLATION LEVEL REPEATABLE READ`.
    public mutating func transaction<Result>(
        mode: String = "", _ body: (inout Transaction) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        try begin(mode)
        var transaction = Transaction(self)
        let outcome: Swift.Result<Result, PostgresError>
        do throws(PostgresError) {
            outcome = .success(try body(&transaction))
        } catch {
            outcome = .failure(error)
        }
        self = transaction.end()
        do throws(PostgresError) {
            let result = try outcome.get()
            try commit()
            return result
        } catch {
            abandon()
            throw error
        }
    }

    /// The same for a body that also throws other errors.
    @_disfavoredOverload
    public mutating func transaction<Result>(
        mode: String = "", _ body: (inout Transaction) throws -> Result
    ) throws -> Result {
        try begin(mode)
        var transaction = Transaction(self)
        let outcome = Swift.Result<Result, any Error> { try body(&transaction) }
        self = transaction.end()
        do {
            let result = try outcome.get()
            try commit()
            return result
        } catch {
            abandon()
            throw error
        }
    }

    /// Rolls back after an error, which the caller throws. If the rollback fails, too, the connection is lost, and is marked so.
    private mutating func abandon() {
        guard isUsable else { return }
        do { try rollback() } catch { isBroken = true }
    }
}
