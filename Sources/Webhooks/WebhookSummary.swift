internal import Contract
public import Jobs
public import Postgres

/// A webhook as it is shown; never with its secret.
public struct WebhookSummary: Sendable {
    public let id: String
    public let account: String
    /// nil: it gets what is the account's and all its tenants'.
    public let tenant: String?
    public let url: String
    /// Patterns of events' names.
    public let events: [String]
    public let description: String?
    /// A word of ``WebhookState``.
    public let state: String
    /// Why it is disabled.
    public let reason: String?
    public let createdAt: Timestamp

    public static let representation = Representation<WebhookSummary> {
        Member.text("id", \.id)
        Member.text("url", \.url)
        Member.texts("events", \.events)
        Member.text("description", \.description)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.word("state", among: WebhookState.allCases.map(\.rawValue), \.state)
        Member.text("reason", \.reason)
        Member.instant("created_at", \.createdAt)
    }

    private typealias Member = Representation<WebhookSummary>.Member

    public var position: [String] { [createdAt.rfc3339, id] }

    public var etag: String { EntityTag.of(Self.representation.json(self)) }

    /// A page of webhooks, the newest first.
    ///
    /// - Parameters:
    ///   - account: nil: of all.
    ///   - tenant: only this tenant's own; nil: all of the account's.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String?, tenant: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [WebhookSummary] {
        let start = PageStart(after: position)
        return try database.query(SQL.page, account, tenant, start.time(0), start.text(1), limit).decode(WebhookSummary.init)
    }

    /// One webhook; nil if the account has none of this id, or the tenant, where one is named, has not.
    ///
    /// - Parameter account: nil: whoever's it is.
    public static func find(
        _ id: String, account: String?, tenant: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> WebhookSummary? {
        try database.query(SQL.find, id, account, tenant).decode(WebhookSummary.init).first
    }

    enum SQL {
        private static let columns = "id, account, tenant, url, events, description, state, reason, created_at"
        /// `$1` account, `$2` tenant, `$3`, `$4` the place before, `$5` the most rows.
        static let page = Statement(
            """
            select \(columns) from tenantry.webhooks
            where ($1::text is null or account = $1) and ($2::text is null or tenant = $2) and (created_at, id) < ($3, $4)
            order by created_at desc, id desc limit $5
            """)
        static let find = Statement(
            """
            select \(columns) from tenantry.webhooks
            where id = $1 and ($2::text is null or account = $2) and ($3::text is null or tenant = $3)
            """)
    }
}
