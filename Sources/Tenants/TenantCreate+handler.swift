internal import Contract
internal import Fleet
internal import Metering
internal import Postgres
internal import Schema

extension Tenants {
    /// `tenant.create`: the tenant's row and its schema, in one transaction.
    static func tenantCreate() -> any JobHandler {
        SingleJobHandler(TenantCreate.self) { payload, job, database in
            let account = job.account
            // The account's row is held until the commit: of two creations, the second counts the first.
            let prefix = try lock(account: account, on: &database)
            if let prefix, !payload.slug.hasPrefix(prefix) {
                throw Rejection.invalid("/slug", "must begin with the account's prefix \"\(prefix)\"")
            }
            if let plan = payload.plan { try check(plan: plan, on: &database) }
            if let template = payload.template {
                throw Rejection.invalid("/template", "there is no template \"\(template)\"")
            }
            let schema = try Identifier("tenant_" + payload.slug.map { $0 == "-" ? "_" : String($0) }.joined())
            try insert(payload, account: account, schema: schema, on: &database)
            try checkRoom(account: account, on: &database)
            try Migrator.create(tenantSchema: schema, on: &database)
            if let settings = payload.settings { try save(settings, in: schema, on: &database) }
            if let limits = payload.limits {
                try CustomLimits.merge(limits, account: account, tenant: payload.slug, on: &database)
            }
            var counts = UsageCounts()
            counts.childTenants = 1
            try Meter.book([Usage(account: account, tenant: nil, period: .always, counts: counts)], on: &database)
            let result: [String: JSONValue] = ["tenant": .string(payload.slug), "schema": .string(schema.name)]
            let event = Outbox.Entry.event(
                "tenant.created", subject: [account, payload.slug], id: "\(account)/\(job.id)",
                result.merging(["account": .string(account)]) { own, _ in own })
            try Outbox.append([event], on: &database)
            return Reply(result)
        }
    }

    private static func lock(account: String, on database: inout Connection) throws -> String? {
        var parameters = Parameters()
        parameters.append(account)
        let rows = try database.query(SQL.lockAccount, parameters)
        guard rows.count == 1 else { throw Rejection(.accountUnknown, "there is no account \(account)") }
        return rows.optionalText(0, 0)
    }

    private static func check(plan: String, on database: inout Connection) throws {
        var parameters = Parameters()
        parameters.append(plan)
        guard try database.query(SQL.planExists, parameters).bool(0, 0) else {
            throw Rejection.invalid("/plan", "there is no plan \"\(plan)\"")
        }
    }

    private static func insert(_ payload: TenantCreate, account: String, schema: Identifier, on database: inout Connection) throws
    {
        var tenant = Parameters()
        tenant.append(payload.slug)
        tenant.append(account)
        tenant.append(schema.name)
        tenant.append(payload.displayName)
        tenant.append(payload.plan)
        tenant.append(payload.environment)
        tenant.append(payload.billingMode.rawValue)
        tenant.append(payload.stripeAccount)
        guard try database.query(SQL.create, tenant).count == 1 else {
            throw Rejection(.slugTaken, "there is a tenant \(payload.slug) already", field: "/slug")
        }
    }

    /// The new tenant is in the count.
    private static func checkRoom(account: String, on database: inout Connection) throws {
        var parameters = Parameters()
        parameters.append(account)
        let rows = try database.query(SQL.room, parameters)
        guard rows.count == 1, let limit = rows.optionalInt(0, 0), rows.text(0, 1) == AlertEvent.Mode.hard.rawValue else {
            return
        }
        let count = rows.int(0, 2)
        guard count > limit else { return }
        throw HardLimits.refusal(of: .childTenants, subject: "account \(account)", limit: limit, value: count - 1, added: 1)
    }

    private static func save(_ settings: [String: JSONValue], in schema: Identifier, on database: inout Connection)
        throws(PostgresError)
    {
        let ordered = settings.sorted { $0.key < $1.key }
        var values = BinaryArray(.jsonb)
        for (_, value) in ordered { values.append(String(decoding: value.serialised(), as: UTF8.self)) }
        var parameters = Parameters()
        parameters.append(ordered.map(\.key))
        parameters.append(values)
        _ = try database.query(SQL.saveSettings(schema), parameters)
    }

    enum SQL {
        static let lockAccount: Statement = "select slug_prefix from tenantry.accounts where slug = $1 for no key update"
        static let planExists: Statement = "select exists (select from tenantry.plans where name = $1)"
        static let create: Statement = """
            insert into tenantry.tenants (slug, account, schema_name, display_name, plan, environment, billing_mode, stripe_account)
            values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning slug
            """
        static let room: Statement = """
            select l.limit_value, l.mode, (select count(*) from tenantry.tenants where account = $1)
            from tenantry.limits_of($1, null) l where l.metric = 'child_tenants'
            """
        static func saveSettings(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).settings (key, value) select * from unnest($1::text[], $2::jsonb[])
                on conflict (key) do update set value = excluded.value
                """)
        }
    }
}
