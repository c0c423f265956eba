/// An open transaction, for code that works in it but does not decide when it begins and ends.
///
/// Made by ``Connection/transaction(mode:_:)``, which commits it when the body returns, and rolls it back when it throws.
public struct Transaction: ~Copyable {
    var connection: Connection

    init(_ connection: consuming Connection) {
        self.connection = connection
    }

    /// The connection again, with the transaction still open.
    consuming func end() -> Connection { connection }

    /// False once the connection is lost.
    public var isUsable: Bool { connection.isUsable }

    /// Notes that statements are run in a schema of many; see ``Connection/touch(_:)``.
    public mutating func touch(_ schema: Identifier) { connection.touch(schema) }

    /// Runs the body, and takes back what it did if it throws; the transaction goes on either way. Savepoints may be nested.
    ///
    /// What the body sent and did not collect is collected here, and its rows are dropped.
    /// - Parameter isTrial: also takes it back if the body returns, for a caller that only wants to know the result.
    /// - Throws: what the body throws. If the connection is lost, the loss, whatever the body has thrown.
    public mutating func savepoint<Result>(isTrial: Bool = false, _ body: (inout Transaction) throws -> Result) throws -> Result {
        // All have the same name: PostgreSQL stacks them, and a name means the latest that is still there.
        try run(script: "savepoint here")
        do {
            let result = try body(&self)
            _ = try collect()
            try run(script: isTrial ? Self.takeBack : "release savepoint here")
            return result
        } catch {
            if isUsable {
                try connection.discard()
                try run(script: Self.takeBack)
            }
            throw error
        }
    }

    /// Rolling back leaves the savepoint itself in place, so it is released, too.
    private static let takeBack = "rollback to savepoint here; release savepoint here"
}

extension Transaction: Queryable {
    public mutating func query(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) -> Rows {
        try connection.query(statement, parameters)
    }

    public mutating func send(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) {
        try connection.send(statement, parameters)
    }

    public mutating func collect() throws(PostgresError) -> [Rows] { try connection.collect() }

    public mutating func run(script: String) throws(PostgresError) { try connection.run(script: script) }

    /// As ``Connection/copyIn(_:_:)``.
    @discardableResult
    public mutating func copyIn(_ sql: String, _ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Int {
        try connection.copyIn(sql, bytes)
    }

    /// As ``Connection/copyOut(_:_:)``.
    public mutating func copyOut(_ sql: String, _ row: (UnsafeRawBufferPointer) throws -> Void) throws {
        try connection.copyOut(sql, row)
    }
}

/// A transaction that its holder may end to begin the next one, for effects that are too large for a single transaction.
///
/// What an earlier part has committed stays, whatever happens later. So the holder has to recognize its own parts when it runs again.
public struct PartwiseTransaction: ~Copyable {
    /// The part that is open.
    public var transaction: Transaction

    public init(_ transaction: consuming Transaction) {
        self.transaction = transaction
    }

    /// Commits what was done so far and goes on in a new transaction, of the default mode.
    ///
    /// - Throws: the commit's error; then no transaction is open, and only ``startOver()`` opens one again.
    public mutating func nextPart() throws(PostgresError) {
        try transaction.connection.commit()
        try transaction.connection.begin()
    }

    /// Takes back what was done in this part and begins it again.
    public mutating func startOver() throws(PostgresError) {
        try transaction.connection.rollback()
        try transaction.connection.begin()
    }

    /// The last part, still open.
    public consuming func end() -> Transaction { transaction }
}
