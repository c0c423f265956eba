internal import Contract
internal import Metering
internal import Postgres

/// The places that an account has for tenants.
struct ChildTenants {
    let account: String
    /// What its tenants' slugs begin with.
    let slugPrefix: String?
    /// nil: as many as it likes.
    private let limit: Int64?
    private var taken: Int64

    /// Where a hard limit stands, the account's row is held until the commit: of two that would take its last place, the second counts the
    /// first. Without one nobody waits for anybody.
    init(of account: String, on database: inout Transaction) throws {
        var parameters = Parameters()
        parameters.append(account)
        var rows = try database.query(SQL.places, parameters)
        guard rows.count == 1 else { throw Rejection(.accountUnknown, "there is no account \(account)") }
        if !rows.isNull(0, 1) {
            _ = try database.query(SQL.lock, parameters)
            rows = try database.query(SQL.places, parameters)
        }
        self.account = account
        slugPrefix = rows.optionalText(0, 0)
        limit = rows.optionalInt(0, 1)
        taken = rows.int(0, 2)
    }

    /// How many of `wanted` more there is room for.
    func room(for wanted: Int) -> Int {
        guard let limit else { return wanted }
        return min(wanted, Int(max(0, limit - taken)))
    }

    /// Why there is no room for one more.
    var refusal: Rejection {
        HardLimits.refusal(of: .childTenants, subject: "account \(account)", limit: limit ?? taken, value: taken, added: 1)
    }

    /// Takes places, which are there; a negative count gives them back.
    mutating func take(_ count: Int, on database: inout Transaction) throws(PostgresError) {
        taken += Int64(count)
        try Self.book(count, account: account, on: &database)
    }

    static func book(_ count: Int, account: String, on database: inout Transaction) throws(PostgresError) {
        let counts: UsageCounts = [.childTenants: Int64(count)]
        try Meter.book([UsageBooking(account: account, tenant: nil, period: .always, counts: counts)], on: &database)
    }

    enum SQL {
        static let places: Statement = """
            select a.slug_prefix, l.limit_value,
                   case when l.limit_value is null then 0
                        else (select count(*) from tenantry.tenants t where t.account = a.slug and t.state in ('active', 'suspended')) end
            from tenantry.accounts a
            left join lateral tenantry.limits_of(a.slug, null) l on l.metric = 'child_tenants' and l.mode = 'hard'
            where a.slug = $1
            """
        static let lock: Statement = "select from tenantry.accounts where slug = $1 for no key update"
    }
}
