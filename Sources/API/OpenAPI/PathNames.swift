internal import Contract
internal import HTTPTypes

/// The names in paths: what they are called in the OpenAPI document's examples, and where the answer that made something has its name.
enum PathNames {
    /// What stands in `/v1/tenants/{slug}` for a name.
    struct Collection {
        /// nil: the server makes it up.
        var example: String?
        /// A runtime expression on the request that made one and on its answer.
        let made: String
    }

    /// By the word before the name.
    static let known: [String: Collection] = [
        "accounts": Collection(example: AccountCreate.example.slug, made: "$response.body#/account"),
        "tenants": Collection(example: TenantCreate.example.slug, made: "$response.body#/tenant"),
        "documents": Collection(
            example: CorpusIngest.example.documents[0].externalID, made: "$response.body#/documents/0/external_id"),
        "conversations": Collection(
            example: ConversationLog.example.conversationID, made: "$request.body#/conversation_id"),
        "templates": Collection(example: TemplateSave.example.name, made: "$response.body#/template"),
        "admins": Collection(example: AdminCreate.example.email, made: "$response.body#/email"),
        "tokens": Collection(made: "$response.body#/key"), "sessions": Collection(made: "$response.body#/key"),
        "webhooks": Collection(made: "$response.body#/webhook"), "deliveries": Collection(made: "$response.body#/delivery"),
        "dead": Collection(example: "5f2b1c7e-0d6a-4f39-9a53-1f0c8d2e7b64", made: "$response.body#/data/0/id"),
        "jobs": Collection(made: "$response.header.Idempotency-Key"),
        "invoices": Collection(
            example: "\(BillingClose.example.account ?? "").\(BillingClose.example.period)", made: "$response.body#/data/0/id"),
    ]

    /// Of each name in the path, the word before it.
    static func collections(of path: PathPattern) -> [String] {
        zip(path.segments, path.segments.dropFirst()).compactMap { before, segment in
            guard case .name = segment, case .literal(let word) = before else { return nil }
            return word
        }
    }

    /// To what became of the job.
    static let outcome: JSONValue = [
        "operationId": "get-jobs-by-id", "parameters": ["id": "$response.header.Idempotency-Key"],
    ]

    /// What can be done next with what this route makes or, of invoices, lists: an operation's id, and the names for its path.
    static func links(from route: Route) -> [String: JSONValue] {
        var links: [String: JSONValue] = [:]
        if route.success.mayBePending { links["outcome"] = outcome }
        guard route.success.status == .created || route.path.text == "/v1/invoices" else { return links }
        let path = collection(madeBy: route.path)
        let own = Dictionary(uniqueKeysWithValues: path.names.map { ($0, JSONValue.string("$request.path.\($0)")) })
        for next in Routes.all where next.path.segments.starts(with: path.segments) {
            var parameters = own
            if case .literal(let word)? = path.segments.last {
                // An item of this collection, and what belongs to it.
                guard next.path.names.count == own.count + 1, next.path.segments.count > path.segments.count,
                    case .name(let name) = next.path.segments[path.segments.count], let collection = known[word]
                else { continue }
                parameters[name] = .string(collection.made)
            } else if next.path != path || next.method == route.method {
                continue
            }
            links[OpenAPIDocument.identifier(of: next)] = [
                "operationId": .string(OpenAPIDocument.identifier(of: next)), "parameters": .object(parameters),
            ]
        }
        // A delivery is also named in a body.
        if path.segments.last == .literal("deliveries"), let collection = known["deliveries"],
            let next = Routes.all.first(where: { $0.path.text == route.path.text.replacing("/test", with: "/resend") })
        {
            links[OpenAPIDocument.identifier(of: next)] = [
                "operationId": .string(OpenAPIDocument.identifier(of: next)), "parameters": .object(own),
                "requestBody": ["delivery": .string(collection.made)],
            ]
        }
        return links
    }

    /// The list in which there is what a path makes.
    private static func collection(madeBy path: PathPattern) -> PathPattern {
        switch path.text {
        case "/v1/session": PathPattern("/v1/sessions")
        case let text where text.hasSuffix("/webhooks/{id}/test"): PathPattern(text.replacing("/test", with: "/deliveries"))
        default: path
        }
    }
}
