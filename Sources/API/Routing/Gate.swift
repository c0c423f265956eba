internal import Contract
internal import Jobs

/// The one place where it is decided whether a request may go on: by the same table of rights as for jobs.
enum Gate {
    /// - Throws: `Problem`: 404 for a name that is another's, as for one that does not exist; 403 where it is one's own and not allowed.
    static func check(_ caller: Caller, _ route: Route, _ names: [String: String]) throws(Problem) {
        if route.isOfTenant {
            let slug = names["slug"] ?? ""
            guard let tenant = caller.tenant, caller.principal.isOwn(tenant), tenant.state != .purged else {
                throw .noTenant(slug)
            }
        }
        if let account = names["account"], caller.account != nil, account != caller.principal.account {
            throw .noAccount(account)
        }
        let refusal =
            switch route.right {
            case .open, .signedIn: nil as Rejection?
            case .reading(let reading): caller.principal.refusal(of: reading, tenant: caller.tenant)
            case .kind(let kind): caller.principal.refusal(of: kind, tenant: caller.tenant)
            }
        if let refusal { throw Problem(refusal) }
    }
}
