internal import Contract
internal import Jobs
internal import Postgres

/// The end of a webhook's being called, in the caller's transaction: what was to be sent waits as failed.
enum Disabling {
    /// - Returns: whose it is; nil where it was disabled before, or is gone.
    @discardableResult
    static func run(
        _ webhook: String, because reason: String, on database: inout Transaction
    ) throws(PostgresError) -> (account: String, tenant: String?)? {
        let found = try database.query(SQL.disable, webhook, reason).first((String, String?).self)
        guard let (account, tenant) = found else { return nil }
        try giveUp(webhook, on: &database)
        return (account, tenant)
    }

    /// The same, of the fleet's own accord: the account's other webhooks and `tenantry.events` are told.
    static func announce(_ webhook: String, because reason: String, on database: inout Transaction) throws(PostgresError) {
        guard let owner = try run(webhook, because: reason, on: &database) else { return }
        // Each time that it happens is an event of its own.
        let event = OutboxMessage.event(
            .webhookDisabled, subject: [owner.account, owner.tenant].compactMap { $0 },
            id: "\(webhook)/\(SystemClock.nowMicroseconds())",
            [
                "webhook": .string(webhook), "account": .string(owner.account),
                "tenant": owner.tenant.map { .string($0) } ?? .null, "reason": .string(reason),
            ])
        try Outbox.append([event], on: &database)
        _ = try database.query(SQL.forgetOwn, webhook, EventID.of(event.messageID))
    }

    /// What waits to be sent to a webhook that is disabled.
    static func giveUp(_ webhook: String, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.giveUp, webhook)
    }

    enum SQL {
        static let disable: Statement = """
            update tenantry.webhooks set state = 'disabled', reason = $2 where id = $1 and state = 'enabled' returning account, tenant
            """
        static let giveUp: Statement = """
            update tenantry.webhook_deliveries set state = 'failed', next_at = null, error = coalesce(error, 'the webhook was disabled')
            where webhook = $1 and state = 'pending'
            """
        /// It need not be told of its own end.
        static let forgetOwn: Statement = """
            delete from tenantry.webhook_deliveries where webhook = $1 and event = $2::text::uuid
            """
    }
}
