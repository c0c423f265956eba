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
            _ = try database.query(WebhookSQL.holdAccount, domain.account)
            let count = try database.query(WebhookSQL.count, domain.account).only(Int64.self)
            guard count < mostOfAccount else {
                throw Rejection(
                    .bound(mostOfAccount, value: count), "an account has at most \(mostOfAccount) webhooks: remove one first")
            }
            let id = Bearer.make(prefix: "wh").key
            let secret = WebhookSecret.make()
            _ = try database.query(
                WebhookSQL.create, id, domain.account, domain.tenant, payload.url, payload.events, payload.expression,
                payload.description)
            _ = try database.query(WebhookSQL.addSecret, id, secret.bytes)
            return Reply(["webhook": .string(id)], onceOnly: ["secret": .string(secret.text)])
        }
    }
}

extension WebhookCreate {
    fileprivate var expression: String { EventPattern.expression(events.compactMap { EventPattern($0) }) }
}
