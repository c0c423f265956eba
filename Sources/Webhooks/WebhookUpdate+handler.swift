internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.update`: what is still to be sent goes to the new URL. One that is enabled again is no more taken to fail.
    static func webhookUpdate(_ destinations: DestinationRule) -> any JobHandler {
        SingleJobHandler(WebhookUpdate.self, presentTags: presentTags) { payload, job, database in
            if let url = payload.url { try destinations.check(url) }
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            let expression = payload.events.map { EventPattern.expression($0.compactMap { EventPattern($0) }) }
            _ = try database.query(
                WebhookSQL.update, webhook.id, payload.url, payload.events, expression, payload.description != .keep,
                payload.description.value)
            let state = payload.state ?? (webhook.isEnabled ? .enabled : .disabled)
            switch payload.state {
            case .enabled?: _ = try database.query(WebhookSQL.enable, webhook.id)
            case .disabled? where webhook.isEnabled:
                try Disabling.run(webhook.id, because: "it was disabled by its owner", on: &database)
            case .disabled?, nil: break
            }
            return Reply(["webhook": .string(webhook.id), "state": .string(state.rawValue)])
        }
    }

    /// The webhook's entity tag.
    private static func presentTags(_ payload: WebhookUpdate, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.webhook, job, on: &database)
    }

    static func presentTags(of webhook: String, _ job: Job, on database: inout Transaction) throws -> [String]? {
        let row = try WebhookRow.hold(webhook, for: job, on: &database)
        return try WebhookSummary.find(row.id, account: row.account, on: &database).map { [$0.etag] } ?? []
    }
}
