internal import Contract
public import Jobs
public import Postgres

extension AdministratorSummary {
    public static let representation = Representation<AdministratorSummary> {
        Member.text("email", \.email)
        Member.text("display_name", \.displayName)
        Member.word("role", among: ["account_admin", "tenant_admin"], \.role)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.boolean("has_password", \.hasPassword)
        Member.instant("created_at", \.createdAt)
    }

    private typealias Member = Representation<AdministratorSummary>.Member

    public var position: [String] { [email, tenant ?? ""] }

    /// A page of an account's people and those of its tenants, ordered by address, then by tenant.
    ///
    /// - Parameters:
    ///   - tenant: only those of this tenant; nil: of the account and all of its tenants.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String, tenant: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AdministratorSummary] {
        let start = PageStart(after: position)
        return try database.query(SQL.page, account, tenant, start.text(0), start.text(1), limit)
            .decode(AdministratorSummary.init)
    }

    /// A person by address; nil if there is none.
    ///
    /// - Parameter tenant: whose administrator; nil: the account's own.
    public static func find(
        _ email: String, account: String, tenant: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> AdministratorSummary? {
        try database.query(SQL.find, account, tenant, email).decode(AdministratorSummary.init).first
    }
}

extension AdministratorSummary.SQL {
    /// `$1` account, `$2` tenant, `$3`, `$4` the place before, `$5` the most rows. An address may stand for one person in each tenant.
    static let page = Statement(
        """
        select \(columns) from tenantry.administrators
        where account = $1 and ($2::text is null or tenant = $2) and (email, coalesce(tenant, '')) > ($3, $4)
        order by email, coalesce(tenant, '') limit $5
        """)
    static let find = Statement(
        """
        select \(columns) from tenantry.administrators
        where account = $1 and coalesce(tenant, '') = coalesce($2::text, '') and email = lower($3)
        """)
}
