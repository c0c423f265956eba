public import Contract
public import Jobs
public import Postgres

/// An account: its row, and the limits of its own.
public struct AccountSummary: Sendable {
    public let slug: String
    public let displayName: String
    public let plan: String
    /// `active` or `suspended`.
    public let state: String
    public let timezone: String
    /// The day of the month on which its periods begin.
    public let billingAnchorDay: Int64
    /// With what its tenants' slugs begin; nil: with anything.
    public let slugPrefix: String?
    /// Its own limits: an object of metrics; null is unlimited.
    public let limits: JSONValue
    public let createdAt: Timestamp
    public let updatedAt: Timestamp

    public static let representation = Representation<AccountSummary> {
        Member.text("slug", \.slug)
        Member.text("display_name", \.displayName)
        Member.text("plan", \.plan)
        Member.word("state", among: ["active", "suspended"], \.state)
        Member.text("timezone", \.timezone)
        Member.number("billing_anchor_day", \.billingAnchorDay)
        Member.text("slug_prefix", \.slugPrefix)
        Member.object("limits", \.limits)
        Member.instant("created_at", \.createdAt)
        Member.instant("updated_at", \.updatedAt)
    }

    private typealias Member = Representation<AccountSummary>.Member

    public var position: [String] { [slug] }

    /// A page of the accounts, ordered by slug.
    ///
    /// - Parameters:
    ///   - account: only this one; nil: all.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AccountSummary] {
        try database.query(SQL.page, account, PageStart(after: position).text(0), limit).decode(AccountSummary.init)
    }

    /// One account; nil if there is none of this slug.
    public static func find(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> AccountSummary? {
        try database.query(SQL.find, slug).decode(AccountSummary.init).first
    }

    /// The entity tag of this account.
    public var etag: String { EntityTag.of(Self.representation.json(self)) }

    /// The entity tag of an account as it is now; nil where there is none.
    public static func currentETag(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> String? {
        try find(slug, on: &database)?.etag
    }

    enum SQL {
        private static let columns = """
            a.slug, a.display_name, a.plan, a.state, a.timezone, a.billing_anchor_day, a.slug_prefix,
                   coalesce((select jsonb_object_agg(c.metric, c.limit_value) from tenantry.custom_limits c
                             where c.account = a.slug and c.tenant = ''), '{}'),
                   a.created_at, a.updated_at
            """
        static let page = Statement(
            """
            select \(columns) from tenantry.accounts a where a.slug > $2 and ($1::text is null or a.slug = $1) order by a.slug limit $3
            """)
        static let find = Statement("select \(columns) from tenantry.accounts a where a.slug = $1")
    }
}
