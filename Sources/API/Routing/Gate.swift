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
            case .open: nil as Rejection?
            case .anyKind: refusalOfAll(caller.principal)
            case .reading(let reading): caller.principal.refusal(of: reading, tenant: caller.tenant)
            case .kind(let kind): caller.principal.refusal(of: kind, tenant: caller.tenant)
            }
        if let refusal { throw Problem(refusal) }
    }

    /// Why a principal may send nothing at all; nil if there is some kind that it may.
    private static func refusalOfAll(_ principal: Principal) -> Rejection? {
        var last: Rejection?
        for kind in Kind.all {
            guard let refusal = principal.refusal(of: kind, tenant: nil) else { return nil }
            last = refusal
        }
        return last
    }

    /// How many bytes of a body are read: no more than what the caller may send can have.
    static func mostBodyBytes(of caller: Caller?, to route: Route) -> Int {
        let most = route.body?.mostBytes ?? Kind.standardBodyLimitBytes
        guard case .anyKind = route.right, let principal = caller?.principal else { return most }
        let allowed = Kind.all.filter { principal.refusal(of: $0, tenant: nil) == nil }
        return min(most, allowed.map(\.bodyLimitBytes).max() ?? 0)
    }
}
