internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.remove`: with its deliveries, whatever has become of them.
    static func webhookRemove() -> any JobHandler {
        SingleJobHandler(WebhookRemove.self, presentTags: presentTags) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            _ = try database.query(WebhookSQL.remove, webhook.id)
            return Reply(["webhook": .string(webhook.id)])
        }
    }

    private static func presentTags(_ payload: WebhookRemove, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.webhook, job, on: &database)
    }
}
