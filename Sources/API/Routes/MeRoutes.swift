internal import Contract
internal import Hummingbird
internal import Jobs

/// Who one is.
enum MeRoutes {
    static let all: [Route] = [
        Route.item("/v1/me", .me, representation, "Whom the credential speaks for, and what it may.") { call in
            let principal = try call.caller.principal
            return { _ in principal }
        }
    ]

    private static let representation = Representation<Principal> {
        Representation.Member.text("key", \.key)
        Representation.Member("role", schema: ["type": "string"]) { .string($0.role.rawValue) }
        Representation.Member.text("name", \.name)
        Representation.Member("account", schema: ["type": ["string", "null"]]) {
            $0.account.isEmpty ? .null : .string($0.account)
        }
        Representation.Member.text("tenant", \.tenant)
        Representation.Member("scopes", schema: ["type": "array", "items": ["type": "string"]]) {
            .array($0.scopes.map(\.rawValue).sorted().map { .string($0) })
        }
        Representation.Member.instant("expires_at", \.expiresAt)
    }
}
