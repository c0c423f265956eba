internal import Contract
internal import HTTPTypes
internal import Jobs
internal import People
internal import Postgres
internal import Templates

/// Tokens, administrators and templates: of an account, and the first two of a tenant.
enum PeopleRoutes {
    static let all: [Route] =
        tokens(under: "/v1") + tokens(under: "/v1/tenants/{slug}") + administrators(under: "/v1")
        + administrators(under: "/v1/tenants/{slug}") + templates

    /// The tenant that the path names, or that the asker is limited to.
    private static func tenant(_ call: Call) throws(Problem) -> String? {
        let caller = try call.caller
        return caller.tenant?.slug ?? caller.principal.tenant
    }

    /// The account whose things are asked for.
    private static func account(_ call: Call) throws(Problem) -> String {
        let caller = try call.caller
        return caller.tenant?.account ?? caller.principal.account
    }

    private static func tokens(under base: String) -> [Route] {
        [
            Route.list("\(base)/tokens", .tokens, of: TokenSummary.self, "The tokens, by their visible keys; never a secret.") {
                call, page in
                let (account, tenant) = (try account(call), try tenant(call))
                return { database in
                    try TokenSummary.page(account: account, tenant: tenant, after: page.after, limit: page.limit, on: &database)
                }
            },
            Route.job(.post, "\(base)/tokens", .tokenIssue, "Issues a token; its secret is shown this once.") { call, result, _ in
                let place = call.asker?.tenant.map { "/v1/tenants/\($0.slug)" } ?? "/v1"
                return result["key"]?.text.map { "\(place)/tokens/\(RequestTarget.encode($0))" }
            },
            Route.item("\(base)/tokens/{key}", .tokens, TokenSummary.representation, "A token.") { call in
                let (account, tenant, key) = (try account(call), try tenant(call), call.name("key"))
                return { try TokenSummary.find(key, account: account, tenant: tenant, on: &$0) }
            },
            Route.job(
                .delete, "\(base)/tokens/{key}", .tokenRevoke, "Revokes a token: it stops working within 30 s.",
                .none { ["key": .string($0.name("key"))] }),
        ]
    }

    private static func administrators(under base: String) -> [Route] {
        [
            Route.list("\(base)/admins", .administrators, of: AdministratorSummary.self, "The administrators, by e-mail address.")
            {
                call, page in
                let (account, tenant) = (try account(call), try tenant(call))
                return { database in
                    try AdministratorSummary.page(
                        account: account, tenant: tenant, after: page.after, limit: page.limit, on: &database)
                }
            },
            Route.job(
                .post, "\(base)/admins", .adminCreate, "Makes a person an administrator.",
                .body(.adminCreate, example: ["role": base == "/v1" ? "account_admin" : "tenant_admin"])
            ) { call, _, payload in
                let place = call.asker?.tenant.map { "/v1/tenants/\($0.slug)" } ?? "/v1"
                return payload["email"]?.text.map { "\(place)/admins/\(RequestTarget.encode($0.lowercased()))" }
            },
            Route.item("\(base)/admins/{email}", .administrators, AdministratorSummary.representation, "An administrator.") {
                call in
                let (account, tenant, email) = (try account(call), try tenant(call), call.name("email"))
                return { try AdministratorSummary.find(email, account: account, tenant: tenant, on: &$0) }
            },
            Route.job(
                .delete, "\(base)/admins/{email}", .adminRemove, "Removes an administrator, with all credentials.",
                .none { ["email": .string($0.name("email"))] }),
        ]
    }

    private static let templates: [Route] = [
        Route.list("/v1/templates", .templates, of: TemplateSummary.self, "The templates, by name.") { call, page in
            let account = try account(call)
            return { try TemplateSummary.page(account: account, after: page.after, limit: page.limit, on: &$0) }
        },
        Route.job(.post, "/v1/templates", .templateSave, "Saves a template: settings and documents for tenants.") {
            _, _, payload in
            payload["name"]?.text.map { "/v1/templates/\(RequestTarget.encode($0))" }
        },
        Route.item(
            "/v1/templates/{name}", .templates, TemplateDetails.representation, "A template.", isTagged: true
        ) { call in
            let (account, name) = (try account(call), call.name("name"))
            return { try TemplateDetails.find(name, account: account, on: &$0) }
        },
        Route.job(
            .delete, "/v1/templates/{name}", .templateRemove, "Removes a template.", .none { ["name": .string($0.name("name"))] }),
    ]
}

extension TokenSummary: ListedRow {}
extension AdministratorSummary: ListedRow {}
extension TemplateSummary: ListedRow {}
