public import Postgres

/// Sends alerts on record again, unchanged.
public enum AlertReplay {
    /// Puts the alerts created at or after `since` into the outbox once more, oldest first.
    ///
    /// - Returns: how many.
    public static func run(since: Timestamp, account: String?, on database: inout Connection) throws(PostgresError) -> Int {
        var parameters = Parameters()
        parameters.append(timestamp: since)
        parameters.append(account)
        return try database.query(SQL.replay, parameters).affected
    }

    enum SQL {
        static let replay: Statement = """
            insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body, alert)
            select 'tenantry.alerts', routing_key, id::text, 'tenantry.limit.' || state, 'application/cloudevents+json', event, id
            from tenantry.alerts where created_at >= $1 and ($2::text is null or account = $2)
            order by created_at, threshold_percent
            """
    }
}
