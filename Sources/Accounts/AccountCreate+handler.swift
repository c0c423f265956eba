internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Accounts {
    /// `account.create`: the account, its own limits, and its first credential.
    static func accountCreate() -> any JobHandler {
        SingleJobHandler(AccountCreate.self) { payload, job, database in
            try AccountRules.check(plan: payload.plan, on: &database)
            try AccountRules.check(timezone: payload.timezone, on: &database)
            let created = try database.query(
                SQL.create, payload.slug, payload.displayName, payload.plan, payload.timezone, payload.billingAnchorDay,
                payload.slugPrefix)
            guard created.count == 1 else {
                throw Rejection(.slugTaken, "there is an account \(payload.slug) already", field: "/slug")
            }
            if let limits = payload.limits { try CustomLimits.merge(limits, account: payload.slug, tenant: nil, on: &database) }
            let bearer = try AccountCredential.issue(account: payload.slug, on: &database)
            let event = OutboxMessage.event(
                .accountCreated, subject: [payload.slug], id: job.id, ["account": .string(payload.slug)])
            try Outbox.append([event], on: &database)
            return Reply(
                ["account": .string(payload.slug), "key": .string(bearer.key)], onceOnly: ["secret": .string(bearer.secret)])
        }
    }
}

/// The credentials of accounts themselves.
enum AccountCredential {
    /// A further credential, which never expires; those before it stay as they are.
    static func issue(account: String, on database: inout Transaction) throws(PostgresError) -> Bearer {
        let bearer = Bearer.make(prefix: "acc")
        _ = try database.query(Accounts.SQL.issue, bearer.key, account, bearer.secretHash)
        return bearer
    }
}

/// The rules for an account's fields that need the database to be checked.
enum AccountRules {
    static func check(plan: String, on database: inout Transaction) throws {
        guard try database.query(SQL.planExists, plan).only(Bool.self) else {
            throw Rejection.invalid("/plan", "there is no plan \"\(plan)\"")
        }
    }

    static func check(timezone: String, on database: inout Transaction) throws {
        guard try database.query(SQL.timezoneExists, timezone).only(Bool.self) else {
            throw Rejection.invalid("/timezone", "\"\(timezone)\" is no time zone of the IANA database")
        }
    }

    enum SQL {
        static let planExists: Statement = "select exists (select from tenantry.plans where name = $1)"
        static let timezoneExists: Statement = "select exists (select from pg_timezone_names where name = $1)"
    }
}

extension Accounts {
    enum SQL {
        static let create: Statement = """
            insert into tenantry.accounts (slug, display_name, plan, timezone, billing_anchor_day, slug_prefix)
            values ($1, $2, $3, $4, $5::int8::int, $6) on conflict do nothing returning slug
            """
        static let issue: Statement = """
            insert into tenantry.credentials (key, role, account, name, secret_hash) values ($1, 'account', $2, 'account', $3)
            """
        static let update: Statement = """
            update tenantry.accounts set display_name = coalesce($2, display_name), plan = coalesce($3, plan),
                timezone = coalesce($4, timezone), billing_anchor_day = coalesce($5::int8::int, billing_anchor_day),
                slug_prefix = case when $6 then $7 else slug_prefix end, updated_at = now()
            where slug = $1 returning plan
            """
    }
}
