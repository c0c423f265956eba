internal import Contract
internal import HTTPTypes
internal import Jobs
internal import Postgres
internal import Webhooks

/// Webhooks of an account and of a tenant, and what came of calling them.
enum WebhookRoutes {
    static let all: [Route] = routes(under: "/v1") + routes(under: "/v1/tenants/{slug}")

    private static func routes(under base: String) -> [Route] {
        items(under: "\(base)/webhooks") + deliveries(under: "\(base)/webhooks/{id}")
    }

    /// Whose webhooks are asked for.
    private struct Owner: Sendable {
        let account: String
        let tenant: String?

        init(_ call: Call) throws(Problem) {
            let caller = try call.caller
            account = caller.tenant?.account ?? caller.principal.account
            tenant = caller.tenant?.slug
        }

        func find(_ id: String, on database: inout Connection) throws -> WebhookSummary? {
            try WebhookSummary.find(id, account: account, tenant: tenant, on: &database)
        }

        /// - Throws: `Problem` (404) where it has none of this id.
        func require(_ id: String, on database: inout Connection) throws {
            guard try find(id, on: &database) != nil else { throw Problem.notFound("there is no webhook \(id)") }
        }
    }

    /// The path of what is below this call's list of webhooks.
    private static func path(_ call: Call, _ names: String...) -> String {
        let base = call.asker?.tenant.map { "/v1/tenants/\($0.slug)" } ?? "/v1"
        return ([base, "webhooks"] + names.map(RequestTarget.encode)).joined(separator: "/")
    }

    private static func items(under base: String) -> [Route] {
        [
            Route.list(base, .webhooks, of: WebhookSummary.self, "The webhooks, newest first; never a secret.") { call, page in
                let owner = try Owner(call)
                return { database in
                    try WebhookSummary.page(
                        account: owner.account, tenant: owner.tenant, after: page.after, limit: page.limit, on: &database)
                }
            },
            Route.job(.post, base, .webhookCreate, "Makes a webhook; its secret is shown this once.") { call, result, _ in
                result["webhook"]?.text.map { path(call, $0) }
            },
            Route.item("\(base)/{id}", .webhooks, WebhookSummary.representation, "A webhook.", isTagged: true) { call in
                let (owner, id) = (try Owner(call), call.name("id"))
                return { try owner.find(id, on: &$0) }
            },
            Route.job(
                .patch, "\(base)/{id}", .webhookUpdate, "Changes a webhook, or enables it again.",
                .body(.webhookUpdate, path: ["webhook": "id"])),
            Route.job(
                .delete, "\(base)/{id}", .webhookRemove, "Removes a webhook, with its deliveries.",
                .none { ["webhook": .string($0.name("id"))] }),
            Route.job(
                .post, "\(base)/{id}/rotate", .webhookRotate, "Gives a webhook a new secret, which is shown this once.",
                .body(.webhookRotate, path: ["webhook": "id"], isRequired: false)
            ) { call, _, _ in path(call, call.name("id")) },
            Route.job(
                .post, "\(base)/{id}/test", .webhookTest, "Calls a webhook with an event webhook.test.",
                .body(.webhookTest, path: ["webhook": "id"], isRequired: false)
            ) { call, result, _ in
                result["delivery"]?.text.map { path(call, call.name("id")) + "/deliveries/" + $0 }
            },
            Route.job(
                .post, "\(base)/{id}/resend", .webhookResend, "Makes a delivery once more.",
                .body(.webhookResend, path: ["webhook": "id"])),
            Route.job(
                .post, "\(base)/{id}/recover", .webhookRecover, "Makes the failed deliveries since a time once more.",
                .body(.webhookRecover, path: ["webhook": "id"])),
        ]
    }

    private static func deliveries(under base: String) -> [Route] {
        [
            Route.list(
                "\(base)/deliveries", .webhooks, of: DeliveryRecord.self,
                "What was sent to a webhook, or is to be; newest first.",
                filters: [.word("state", DeliveryRecord.State.self, "How the delivery stands.")]
            ) { call, page in
                let (owner, id, state) = (
                    try Owner(call), call.name("id"), try call.query.word("state", DeliveryRecord.State.self)?.rawValue
                )
                return { database in
                    try owner.require(id, on: &database)
                    return try DeliveryRecord.page(of: id, state: state, after: page.after, limit: page.limit, on: &database)
                }
            },
            Route.item(
                "\(base)/deliveries/{delivery}", .webhooks, DeliveryDetails.representation, "A delivery, with what is sent."
            ) { call in
                let (owner, id, delivery) = (try Owner(call), call.name("id"), call.name("delivery"))
                return { database in
                    try owner.require(id, on: &database)
                    return try DeliveryDetails.find(delivery, of: id, on: &database)
                }
            },
        ]
    }
}

extension WebhookSummary: ListedRow {}
extension DeliveryRecord: ListedRow {}
