extension Connection {
    /// Waits for the turn of this name and holds it until the transaction ends: of two effects that must not overlap, the second sees what
    /// the first has committed. Source: [advisory locks](https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS).
    public mutating func takeTurn(_ name: String) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(name)
        _ = try query("select pg_advisory_xact_lock(hashtextextended($1, 0))", parameters)
    }
}
