internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import People

/// Signing in by e-mail and password, and out.
enum SessionRoutes {
    static let all: [Route] = [signIn, signOut, list, end]

    private static let person = AdminCreate.example

    private static let signIn = Route(
        method: .post, path: PathPattern("/v1/session"),
        summary: "Signs in by e-mail and password: a credential that is good for 12 hours.", right: .open,
        body: .json(
            [
                "type": "object", "required": ["email", "password"],
                "properties": [
                    "email": ["type": "string"], "password": ["type": "string"],
                    "account": [
                        "type": ["string", "null"], "description": "Where the address administers several, the account's slug.",
                    ],
                    "tenant": ["type": ["string", "null"], "description": "Or the tenant's."],
                ],
            ], example: ["email": .string(person.email), "password": .string(person.password ?? ""), "account": "acme"],
            mostBytes: 16 << 10),
        success: Route.Success(
            status: .created,
            schema: [
                "type": "object", "required": ["key", "secret", "expires_at"],
                "properties": [
                    "key": ["type": "string"], "secret": ["type": "string", "description": "Shown this once."],
                    "expires_at": ["type": "string", "format": "date-time"],
                ],
            ])
    ) { call in
        let members = try PayloadDecoder.members(of: Array(call.body.readableBytesView))
        let email = try text("email", members)
        let password = try text("password", members)
        let (account, tenant) = (try optionalText("account", members), try optionalText("tenant", members))
        let address = call.address
        do {
            let session = try await call.services.signIns.run { database, _ in
                try SignIn.run(
                    email: email, password: password, account: account, tenant: tenant, from: address, on: &database)
            }
            return .json(
                .created,
                [
                    "key": .string(session.key), "secret": .string(session.secret), "expires_at": .instant(session.expiresAt),
                ], [.location: "/v1/session"])
        } catch SignIn.Refusal.wrong {
            throw Problem(Rejection(.unauthenticated, "e-mail address or password are wrong"))
        } catch SignIn.Refusal.ambiguous {
            throw Problem(
                Rejection(.conflict, "this address administers several accounts or tenants: say which by account or tenant"))
        } catch SignIn.Refusal.throttled(let seconds) {
            throw Problem.rateLimited("too many wrong passwords", retryAfterSeconds: Int(seconds))
        }
    }

    private static func text(_ name: String, _ members: [String: JSONValue]) throws(Rejection) -> String {
        guard let value = try optionalText(name, members) else { throw .invalid("/\(name)", "is missing") }
        return value
    }

    private static func optionalText(_ name: String, _ members: [String: JSONValue]) throws(Rejection) -> String? {
        switch members[name] ?? .null {
        case .null: return nil
        case .string(let text) where text.utf8.count <= 1_024: return text
        case .string: throw .invalid("/\(name)", "must have at most 1024 bytes")
        default: throw .invalid("/\(name)", "must be a string")
        }
    }

    private static let signOut = Route(
        method: .delete, path: PathPattern("/v1/session"), summary: "Signs out: ends the session whose credential is sent.",
        right: .reading(.sessions), success: Route.Success(status: .noContent)
    ) { call in
        try await end(try call.caller.principal.key, call)
    }

    private static let list = Route.list(
        "/v1/sessions", .sessions, of: SessionRecord.self,
        "One's sessions; an account's credential and administrators see those of all its people."
    ) { call, page in
        let principal = try call.caller.principal
        return { try SessionRecord.page(of: principal, after: page.after, limit: page.limit, on: &$0) }
    }

    private static let end = Route(
        method: .delete, path: PathPattern("/v1/sessions/{key}"), summary: "Ends a session.", right: .reading(.sessions),
        success: Route.Success(status: .noContent)
    ) { call in
        try await end(call.name("key"), call)
    }

    private static func end(_ key: String, _ call: Call) async throws -> RouteResult {
        let sender = try call.caller.principal.key
        let isEnded = try await call.database { database, _ in try SignIn.end(key, by: sender, on: &database) }
        guard isEnded else { throw Problem.notFound("there is no session of this key, or it is not yours to end") }
        return .empty(.noContent)
    }
}

extension SessionRecord: ListedRow {}
