public import Contract
public import Jobs
public import Postgres

extension TenantSummary {
    /// What is shown of one tenant. `last_active_at` is not in it: it moves with every recount, and an entity tag is to change with what people
    /// change.
    public static let representation = Representation<TenantSummary> {
        Member.text("slug", \.slug)
        Member.text("account", \.account)
        Member.text("display_name", \.displayName)
        Member.text("plan", \.plan)
        Member.text("environment", \.environment)
        Member.text("billing_mode", \.billingMode)
        Member.text("stripe_account", \.stripeAccount)
        Member.word("state", \.state)
        Member.text("schema", \.schema)
        Member.object("limits", \.limits)
        Member.instant("created_at", \.createdAt)
        Member.instant("updated_at", \.updatedAt)
        Member.instant("suspended_at", \.suspendedAt)
        Member.instant("archived_at", \.archivedAt)
        Member.instant("purge_at", \.purgeAt)
    }

    /// What is shown of a tenant in a list, which has no entity tag.
    public static let listRepresentation = representation.adding {
        Member.instant("last_active_at", \.lastActiveAt)
    }

    private typealias Member = Representation<TenantSummary>.Member

    public var position: [String] { [slug] }

    /// A page of the tenants, ordered by slug. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - state: nil: every tenant that is not purged.
    ///   - plan: its own, or, where it has none, its account's.
    ///   - part: of slug or display name, in capital letters or small ones.
    ///   - isIdle: whether no user has sent a message for `idleHours`, since the tenant was made.
    ///   - slug: this one alone.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, state: TenantState? = nil, plan: String? = nil, environment: String? = nil, part: String? = nil,
        isIdle: Bool? = nil, idleHours: Int64 = 0, only slug: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TenantSummary] {
        try database.query(
            SQL.page, account, state?.rawValue, plan, environment, part, isIdle, idleHours, PageStart(after: position).text(0),
            limit, slug
        ).decode(TenantSummary.init)
    }

    /// How many tenants that are not archived or purged have had no user's message for so long, or since they were made.
    ///
    /// - Parameter account: this one's alone; nil: all.
    public static func countIdle(
        account: String?, idleHours: Int64, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> Int64 {
        guard idleHours > 0 else { return 0 }
        return try database.query(SQL.countIdle, account, idleHours).only(Int64.self)
    }

    /// The entity tag of this tenant.
    public var etag: String { EntityTag.of(Self.representation.json(self)) }

    /// The entity tag of a tenant as it is now; nil where there is none or it is purged.
    public static func currentETag(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> String? {
        guard let tenant = try find(slug, on: &database), tenant.state != .purged else { return nil }
        return tenant.etag
    }
}
