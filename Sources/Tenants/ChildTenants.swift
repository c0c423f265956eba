internal import Contract
internal import Metering
internal import Postgres

/// How many tenants an account may have, and has.
struct ChildTenants {
    let account: String
    /// What its tenants' slugs begin with.
    let slugPrefix: String?
    /// nil: no hard limit.
    private let limit: Int64?
    private var taken: Int64

    /// With a hard limit, the account's row is locked until the commit: of two jobs that want its last place, the second waits and then
    /// counts the first one's tenant. Without a limit no job waits.
    init(of account: String, on database: inout Transaction) throws {
        var found = try database.query(SQL.places, account).first((String?, Int64?, Int64).self)
        if found?.1 != nil {
            _ = try database.query(SQL.lock, account)
            found = try database.query(SQL.places, account).first((String?, Int64?, Int64).self)
        }
        guard let (slugPrefix, limit, taken) = found else {
            throw Rejection(.accountUnknown, "there is no account \(account)")
        }
        self.account = account
        self.slugPrefix = slugPrefix
        self.limit = limit
        self.taken = taken
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

    /// Takes places that there is room for; a negative count gives them back.
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
