internal import Contract
internal import HTTPTypes
internal import Jobs
internal import NIOCore
internal import Postgres
internal import Tenants

/// Tenants, their lives and their settings.
enum TenantRoutes {
    static let all: [Route] = [
        list, TenantCreation.route, find,
        Route.job(
            .patch, "/v1/tenants/{slug}", .tenantUpdate, "Changes a tenant's name, plan, settings, billing mode or limits."),
        Route.job(
            .delete, "/v1/tenants/{slug}", .tenantDelete,
            "Archives a tenant, to be purged after the retention time, or purges it at once.",
            .none { call in
                try call.query.word("mode", DeleteMode.self).map { ["mode": .string($0.rawValue)] } ?? [:]
            }, query: [.word("mode", DeleteMode.self, "`archive` if not said.")]),
        Route.job(
            .post, "/v1/tenants/{slug}/suspend", .tenantSuspend, "Suspends a tenant.", .body(.tenantSuspend, isRequired: false)),
        Route.job(
            .post, "/v1/tenants/{slug}/resume", .tenantResume, "Resumes a suspended tenant.",
            .body(.tenantResume, isRequired: false)),
        Route.job(
            .post, "/v1/tenants/{slug}/restore", .tenantRestore, "Undoes an archive.", .body(.tenantRestore, isRequired: false)),
        Route.job(
            .post, "/v1/tenants/{slug}/apply-template", .templateApply, "Copies a template's settings and documents to a tenant."),
        settings,
        Route.job(
            .patch, "/v1/tenants/{slug}/settings", .tenantUpdate, "Changes settings: a JSON merge patch, in which null removes.",
            settingsPatch),
    ]

    enum DeleteMode: String, ClosedWord {
        case archive, purge
    }

    private static let list = Route.list(
        "/v1/tenants", .tenants, of: TenantSummary.self, "The tenants of an account; a tenant's credential sees its own.",
        filters: [
            .text("account", "For operators: only this account's.", example: "acme"),
            .word("state", TenantState.self, "Every one that is not purged, if not said."),
            .text("plan", "Its own, or the account's where it has none.", example: "enterprise-plus"),
            .text("environment", "What it serves for.", example: "production"),
            .text("q", "A part of slug or name.", example: "shop"), .boolean("idle", "Whether no user has written for long."),
        ], shown: TenantSummary.listRepresentation
    ) { call, page in
        let caller = try call.caller
        let account = try account(call)
        let (state, plan) = (try call.query.word("state", TenantState.self), try call.query.text("plan"))
        let (environment, part) = (try call.query.text("environment"), try call.query.text("q"))
        let (isIdle, idleHours) = (try call.query.boolean("idle"), call.services.options.idleHours)
        let own = caller.principal.tenant
        return { database in
            try TenantSummary.page(
                account: account, state: state, plan: plan, environment: environment, part: part, isIdle: isIdle,
                idleHours: idleHours, only: own, after: page.after, limit: page.limit, on: &database)
        }
    }

    private static let find = Route.item(
        "/v1/tenants/{slug}", .tenants, TenantSummary.representation, "A tenant.", isTagged: true
    ) { call in
        let slug = try call.tenant.slug
        return { try TenantSummary.find(slug, on: &$0) }
    }

    private static let settings = Route(
        method: .get, path: PathPattern("/v1/tenants/{slug}/settings"), summary: "A tenant's settings.",
        right: .reading(.settings), success: Route.Success(status: .ok, schema: ["type": "object"], isTagged: true)
    ) { call in
        let schema = try call.tenant.schema
        let json = try await call.database { database, _ in
            database.touch(schema)
            return try SettingsRead.find(in: schema, on: &database)
        }
        return try Route.tagged(json, call)
    }

    private static let settingsExample: JSONValue = ["greeting": "Good day!", "colour": .null]

    private static let settingsPatch = PayloadSource(
        body: RequestBody(
            content: [
                .json(["type": "object"], example: settingsExample),
                .meaning("application/merge-patch+json", ["type": "object"], example: settingsExample),
            ],
            mostBytes: Kind.standardBodyLimitBytes)
    ) { call in
        let types = ["application/json", "application/merge-patch+json"]
        if let type = call.mediaType, !types.contains(type) {
            throw Problem.unsupportedMediaType("this path takes \(types.joined(separator: " or ")), not \(type)")
        }
        return (["settings": .object(try PayloadDecoder.members(of: Array(call.body.readableBytesView)))], nil)
    }

    /// Whose things are listed: the asker's own, or for an operator those of an account, or of all.
    static func account(_ call: Call) throws(Problem) -> String? {
        let named = try call.query.text("account")
        guard let own = try call.caller.account else { return named }
        if let named, named != own { throw .noAccount(named) }
        return own
    }
}

extension TenantSummary: ListedRow {}
