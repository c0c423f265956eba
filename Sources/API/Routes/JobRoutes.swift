internal import Contract
internal import Hummingbird
internal import Jobs
internal import Postgres

/// Jobs: any kind by its name, and what became of one.
enum JobRoutes {
    static let all: [Route] = [send, find]

    private static let send = Route(
        method: .post, path: PathPattern("/v1/jobs"),
        summary: "Sends a job of any kind, also of those that have no path of their own.", right: .anyKind,
        body: .json(
            [
                "type": "object", "required": ["kind"],
                "properties": [
                    "kind": ["type": "string", "enum": .array(Kind.all.map { .string($0.name) })],
                    "tenant": ["type": ["string", "null"], "description": "The tenant's slug, for kinds that work on one."],
                    "payload": ["type": ["object", "null"], "description": "As section Jobs of the AsyncAPI document has it."],
                ],
            ], example: ["kind": .string(Kind.usageAggregate.name), "payload": UsageAggregate.exampleJSON],
            mostBytes: Kind.corpusIngest.bodyLimitBytes),
        success: Route.Success(status: .ok, schema: ["type": "object"], mayBePending: true)
    ) { call in
        let caller = try call.caller
        let members = try PayloadDecoder.members(of: Array(call.body.readableBytesView))
        guard case .string(let name)? = members["kind"] else { throw Rejection.invalid("/kind", "is missing, or no string") }
        guard let kind = Kind.named(name) else {
            throw Problem(Rejection.invalid("/kind", "is none of the kinds that there are"))
        }
        let payload: [String: JSONValue]
        switch members["payload"] {
        case .object(let given)?: payload = given
        case nil, .null?: payload = [:]
        default: throw Rejection.invalid("/payload", "must be an object")
        }
        let tenant = try await tenant(members["tenant"] ?? .null, kind, call)
        if let refusal = caller.principal.refusal(of: kind, tenant: tenant) { throw Problem(refusal) }
        do {
            return try await Route.send(kind, tenant: tenant?.slug, members: payload, status: .ok, call)
        } catch var problem as Problem {
            if let field = problem.field { problem.field = "/payload" + field }
            throw problem
        }
    }

    private static func tenant(_ value: JSONValue, _ kind: Kind, _ call: Call) async throws -> TenantRecord? {
        let caller = try call.caller
        guard case .string(let slug) = value else {
            guard value == .null else { throw Rejection.invalid("/tenant", "must be a string") }
            guard !kind.needsTenant else { throw Rejection.invalid("/tenant", "is missing: \(kind.name) works on a tenant") }
            return nil
        }
        guard !slug.utf8.contains(0) else { throw Problem.noTenant("") }
        let tenant = try await call.database { database, directory in
            let now = SystemClock.monotonicSeconds()
            try directory.refresh(from: &database)
            if directory.tenant(slug, now: now) == nil { try directory.load(tenants: [slug], now: now, from: &database) }
            return directory.tenant(slug, now: now)
        }
        guard let tenant, caller.principal.isOwn(tenant), tenant.state != .purged else { throw Problem.noTenant(slug) }
        return tenant
    }

    private static let find = Route.item(
        "/v1/jobs/{id}", .jobs, JobRecord.representation, "What became of a job of one's own, as long as answers are kept."
    ) { call in
        let (id, principal) = (call.name("id"), try call.caller.principal)
        return { try JobRecord.find(id, of: principal, on: &$0) }
    }
}
