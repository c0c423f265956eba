public import Jobs
public import Postgres

/// A webhook that is disabled, or of which no attempt succeeds.
public struct FailingWebhook: Sendable {
    public let webhook: String
    public let account: String
    public let url: String
    public let state: String
    /// Why it is disabled.
    public let reason: String?
    /// Since when no attempt has succeeded; nil: it was disabled by hand.
    public let failingSince: Timestamp?

    public static let representation = Representation<FailingWebhook> {
        Member.text("webhook", \.webhook)
        Member.text("account", \.account)
        Member.text("url", \.url)
        Member.text("state", \.state)
        Member.text("reason", \.reason)
        Member.instant("failing_since", \.failingSince)
    }

    private typealias Member = Representation<FailingWebhook>.Member

    /// - Parameter account: this one's alone; nil: all.
    public static func list(
        account: String?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [FailingWebhook] {
        try database.query(SQL.list, account, limit).decode(FailingWebhook.init)
    }

    enum SQL {
        static let list: Statement = """
            select id, account, url, state, reason, failing_since from tenantry.webhooks
            where ($1::text is null or account = $1) and (state = 'disabled' or failing_since < now() - interval '10 minutes')
            order by created_at desc, id desc limit $2
            """
    }
}
