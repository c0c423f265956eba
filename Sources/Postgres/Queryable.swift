/// What statements run on: a ``Connection``, or the ``Transaction`` that somebody else has opened on one.
///
/// A function that may run on either takes `inout some Queryable & ~Copyable`. One whose effect must be committed together with its caller's
/// takes `inout Transaction`.
public protocol Queryable: ~Copyable {
    /// Runs one statement, prepared on its first use, and returns its rows.
    /// - Throws: the statement's error, or a usage error if sent statements are not collected yet.
    mutating func query(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) -> Rows
    /// Sends a statement without waiting for its result, which comes from ``collect()``, in the order of the sends.
    mutating func send(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError)
    /// Ends the pipeline and returns every result since the last collect.
    /// - Throws: the first error, with its `statement`; what was sent after it has not run.
    mutating func collect() throws(PostgresError) -> [Rows]
    /// Runs SQL text with any number of statements, without parameters: DDL, locks.
    mutating func run(script: String) throws(PostgresError)
}

extension Queryable where Self: ~Copyable {
    /// Runs a statement with its values in the order of `$1`, `$2`, …
    public mutating func query<each Value: ParameterValue>(
        _ statement: Statement, _ values: repeat each Value
    ) throws(PostgresError) -> Rows {
        try query(statement, Parameters(repeat each values))
    }

    /// Sends a statement with its values in the order of `$1`, `$2`, …
    public mutating func send<each Value: ParameterValue>(
        _ statement: Statement, _ values: repeat each Value
    ) throws(PostgresError) {
        try send(statement, Parameters(repeat each values))
    }

    /// Waits until no other transaction has the turn of this name, and holds it until this one ends. Of two effects that must not overlap, the
    /// second sees what the first has committed. Source: [advisory locks](https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS).
    public mutating func takeTurn(_ name: String) throws(PostgresError) {
        _ = try query("select pg_advisory_xact_lock(hashtextextended($1, 0))", name)
    }
}

extension Connection: Queryable {}
