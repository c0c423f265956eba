internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.test`: an event of its own, for this one webhook, whatever its patterns are.
    static func webhookTest() -> any JobHandler {
        SingleJobHandler(WebhookTest.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            try webhook.requireEnabled()
            let body: JSONValue = [
                "event": "webhook.test", "account": .string(webhook.account),
                "tenant": webhook.tenant.map { .string($0) } ?? .null, "webhook": .string(webhook.id),
            ]
            let delivery = try database.query(
                WebhookSQL.writeTest, EventID.of("webhook.test/\(webhook.id)/\(job.id)"), webhook.account, webhook.tenant,
                String(decoding: body.serialised(), as: UTF8.self), webhook.id
            ).only(Int64.self)
            return Reply(["webhook": .string(webhook.id), "delivery": .string(String(delivery))])
        }
    }
}
