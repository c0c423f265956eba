internal import Contract
internal import Conversations
internal import HTTPTypes
internal import Jobs
internal import Postgres

/// A tenant's conversations, their messages, and what people thought of them.
enum ConversationRoutes {
    static let all: [Route] = [
        list,
        Route.job(
            .post, "/v1/tenants/{slug}/conversations", .conversationLog, "Logs messages of a conversation.",
            location: { call, _, payload in place(call, payload["conversation_id"]?.text) }),
        Route.job(
            .delete, "/v1/tenants/{slug}/conversations", .conversationErase, "Erases all that a user has said and was answered.",
            .none { call in
                guard let user = call.query.raw("user_id"), !user.isEmpty else {
                    throw Problem.parameter("user_id", "is missing")
                }
                return ["user_id": .string(user)]
            }, query: [.text("user_id", "Whose conversations.", example: "u-1")]),
        find,
        Route.job(
            .delete, "/v1/tenants/{slug}/conversations/{id}", .conversationErase, "Erases a conversation.",
            .none { ["conversation_id": .string($0.name("id"))] }),
        messages,
        Route.job(
            .post, "/v1/tenants/{slug}/conversations/{id}/messages", .conversationLog, "Logs messages of this conversation.",
            .body(.conversationLog, path: ["conversation_id": "id"]), location: { call, _, _ in place(call, call.name("id")) }),
        Route.job(
            .post, "/v1/tenants/{slug}/conversations/{id}/feedback", .conversationFeedback,
            "Rates a message of this conversation.",
            .body(.conversationFeedback, path: ["conversation_id": "id"])),
    ]

    private static func place(_ call: Call, _ id: String?) -> String? {
        id.map { "/v1/tenants/\(call.name("slug"))/conversations/\(RequestTarget.encode($0))" }
    }

    private static let list = Route.list(
        "/v1/tenants/{slug}/conversations", .conversations, of: ConversationSummary.self,
        "A tenant's conversations, newest first.",
        filters: [
            .instant("from", "With a last message at this time or later.", example: "2026-11-01T00:00:00Z"),
            .instant("to", "With a last message before this time.", example: "2026-12-01T00:00:00Z"),
            .text("channel", "Where it was held.", example: "web"),
            .text("user_id", "In which this user has written.", example: "u-1"),
            .integer("rating", -1...1, "With a message that was rated so."),
            .text("q", "Words of its messages.", example: "Saturdays"),
        ]
    ) { call, page in
        let schema = try call.tenant.schema
        var filter = ConversationSummary.Filter()
        filter.from = try call.query.instant("from")
        filter.to = try call.query.instant("to")
        filter.channel = try call.query.text("channel")
        filter.userID = try call.query.text("user_id")
        filter.rating = try call.query.integer("rating", -1...1)
        filter.words = try call.query.text("q")
        let wanted = filter
        return { database in
            database.touch(schema)
            return try ConversationSummary.page(in: schema, wanted, after: page.after, limit: page.limit, on: &database)
        }
    }

    private static let find = Route.item(
        "/v1/tenants/{slug}/conversations/{id}", .conversations, ConversationSummary.representation, "A conversation."
    ) { call in
        let (schema, id) = (try call.tenant.schema, call.name("id"))
        return { database in
            database.touch(schema)
            return try ConversationSummary.find(id, in: schema, on: &database)
        }
    }

    private static let messages = Route.list(
        "/v1/tenants/{slug}/conversations/{id}/messages", .conversations, of: MessageRecord.self,
        "The messages of a conversation, oldest first."
    ) { call, page in
        let (schema, id) = (try call.tenant.schema, call.name("id"))
        return { database in
            database.touch(schema)
            guard try ConversationSummary.find(id, in: schema, on: &database) != nil else {
                throw Problem.notFound("there is no conversation of this id")
            }
            return try MessageRecord.page(of: id, in: schema, after: page.after, limit: page.limit, on: &database)
        }
    }
}

extension ConversationSummary: ListedRow {}
extension MessageRecord: ListedRow {}
