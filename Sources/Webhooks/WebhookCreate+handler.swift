internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.create`: of the account or, with the header, of a tenant. Its secret is in the first answer alone.
    static func webhookCreate(_ destinations: DestinationRule) -> any JobHandler {
        SingleJobHandler(WebhookCreate.self) { payload, job, database in
            try destinations.check(payload.url)
            let domain = try Domain(job, on: &database)
            // Of two that are made at once, the second sees the first.
            _ = try database.query(CreateSQL.hold, domain.account)
            let count = try database.query(CreateSQL.count, domain.account).only(Int64.self)
            guard count < mostOfAccount else {
                throw Rejection(
                    .bound(mostOfAccount, value: count), "an account has at most \(mostOfAccount) webhooks: remove one first")
            }
            let id = Bearer.make(prefix: "wh").key
            let secret = WebhookSecret.make()
            _ = try database.query(
                CreateSQL.create, id, domain.account, domain.tenant, payload.url, payload.events, payload.expression,
                payload.description)
            _ = try database.query(SecretSQL.add, id, secret.bytes)
            return Reply(["webhook": .string(id)], onceOnly: ["secret": .string(secret.text)])
        }
    }
}

extension WebhookCreate {
    fileprivate var expression: String { EventPattern.expression(events.compactMap { EventPattern($0) }) }
}

enum CreateSQL {
    static let hold: Statement = "select 1 from tenantry.accounts where slug = $1 for no key update"
    static let count: Statement = "select count(*) from tenantry.webhooks where account = $1"
    static let create: Statement = """
        insert into tenantry.webhooks (id, account, tenant, url, events, expression, description) values ($1, $2, $3, $4, $5, $6, $7)
        """
}

enum SecretSQL {
    static let add: Statement = "insert into tenantry.webhook_secrets (webhook, secret) values ($1, $2)"
}
