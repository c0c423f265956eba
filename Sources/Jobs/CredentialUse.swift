public import Postgres

/// When credentials were last used, to the minute: noted outside of jobs, from time to time, by whoever checks them.
public enum CredentialUse {
    /// Notes that these credentials have been used now. What is no credential's key leaves nothing.
    public static func note(_ keys: [String], on database: inout some Queryable & ~Copyable) throws(PostgresError) {
        guard !keys.isEmpty else { return }
        _ = try database.query(SQL.note, keys)
    }

    enum SQL {
        /// In the order of the keys, so that nobody waits for another in a ring.
        static let note: Statement = """
            insert into tenantry.credential_uses as u (key, last_used_at)
            select c.key, date_trunc('minute', clock_timestamp()) from tenantry.credentials c where c.key = any($1) order by c.key
            on conflict (key) do update set last_used_at = excluded.last_used_at where u.last_used_at < excluded.last_used_at
            """
    }
}
