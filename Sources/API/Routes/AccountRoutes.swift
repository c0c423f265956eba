internal import Accounts
internal import Contract
internal import HTTPTypes
internal import Jobs
internal import Metering
internal import Postgres

/// Accounts, and the plans that they are on.
enum AccountRoutes {
    static let all: [Route] = [
        Route.list("/v1/accounts", .accounts, of: AccountSummary.self, "The accounts; an account sees its own.") { call, page in
            let account = try call.caller.account
            return { try AccountSummary.page(account: account, after: page.after, limit: page.limit, on: &$0) }
        },
        Route.job(.post, "/v1/accounts", .accountCreate, "Makes an account; its secret is shown this once.") { _, _, payload in
            payload["slug"]?.text.map { "/v1/accounts/\($0)" }
        },
        Route.item(
            "/v1/accounts/{account}", .accounts, AccountSummary.representation, "An account.", isTagged: true
        ) { call in
            let slug = call.name("account")
            return { database in
                guard let account = try AccountSummary.find(slug, on: &database) else { throw Problem.noAccount(slug) }
                return account
            }
        },
        Route.job(
            .patch, "/v1/accounts/{account}", .accountUpdate, "Changes an account's name, plan, periods or custom limits.",
            .body(.accountUpdate, path: ["account": "account"])),
        Route.list(
            "/v1/plans", .plans, of: PlanSummary.self, "The plans; an account sees its own and those that it may give to tenants."
        ) { call, page in
            let account = try call.caller.account
            return { try PlanSummary.page(account: account, after: page.after, limit: page.limit, on: &$0) }
        },
    ]
}

extension AccountSummary: ListedRow {}
extension PlanSummary: ListedRow {}
