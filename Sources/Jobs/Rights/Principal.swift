public import Contract
public import Postgres

/// Who a credential speaks for. An object, since thousands of jobs of a batch have the same one in hand.
public final class Principal: Sendable {
    public enum Role: String, Sendable {
        /// The platform's own people.
        case `operator`
        /// The fleet itself, for the jobs that it sends.
        case fleet
        /// An account's own credential: everything of that account.
        case account
        /// A person who may do the same, except for making a credential of the account: it would remain valid when the person is removed.
        case accountAdmin = "account_admin"
        /// A person who looks after one tenant.
        case tenantAdmin = "tenant_admin"
        /// A token with scopes, for one tenant or (tenant nil) for all tenants of its account.
        case token
    }

    public let key: String
    public let role: Role
    /// What the credential is for; an administrator's address.
    public let name: String
    /// The account's slug; `""` for operators and the fleet.
    public let account: String
    public let tenant: String?
    public let scopes: Set<Scope>
    /// `.distantFuture`: never.
    public let expiresAt: Timestamp
    /// No job of a suspended account is accepted.
    public let accountIsSuspended: Bool
    /// What the account's plan allows of its jobs a minute; nil: as many as it likes.
    public let jobsPerMinute: Int64?

    public init(
        key: String, role: Role, name: String = "", account: String, tenant: String?, scopes: Set<Scope>,
        expiresAt: Timestamp = .distantFuture, accountIsSuspended: Bool = false, jobsPerMinute: Int64? = nil
    ) {
        self.name = name
        self.key = key
        self.role = role
        self.account = account
        self.tenant = tenant
        self.scopes = scopes
        self.expiresAt = expiresAt
        self.accountIsSuspended = accountIsSuspended
        self.jobsPerMinute = jobsPerMinute
    }

    /// Why this principal may not send `kind`, for this tenant if one is named; nil if it may.
    public func refusal(of kind: Kind, tenant target: TenantRecord?) -> Rejection? {
        if accountIsSuspended { return Rejection(.forbidden, "account \(account) is suspended") }
        guard isAllowed(kind.access) else {
            if role == .accountAdmin, kind.access.account {
                let message =
                    "\(kind.name) takes the account's own credential or an operator: what it makes would outlast an administrator"
                return Rejection(.forbidden, message)
            }
            return Rejection(.forbidden, "credential \(key) (\(roleDescription)) may not send \(kind.name)")
        }
        guard let target else { return nil }
        if role != .operator, role != .fleet, target.account != account {
            return Rejection(.forbidden, "tenant \(target.slug) is not of account \(account)")
        }
        if let tenant, tenant != target.slug {
            return Rejection(.forbidden, "credential \(key) is limited to tenant \(tenant), not \(target.slug)")
        }
        return nil
    }

    /// Why this principal may not read something, of this tenant if one is named; nil if it may. A suspended account's people still read.
    public func refusal(of reading: Reading, tenant target: TenantRecord?) -> Rejection? {
        guard isAllowed(reading.access) else {
            return Rejection(.forbidden, "credential \(key) (\(roleDescription)) may not read \(reading.name)")
        }
        return target.flatMap { isOwn($0) ? nil : Rejection(.forbidden, "tenant \($0.slug) is not this credential's") }
    }

    /// Whether a tenant is within this credential's reach: of its account, and the one that it is limited to. All are an operator's.
    public func isOwn(_ target: TenantRecord) -> Bool {
        if role == .operator || role == .fleet { return true }
        return target.account == account && (tenant == nil || tenant == target.slug)
    }

    private func isAllowed(_ access: Access) -> Bool {
        switch role {
        case .operator: access.operator
        case .fleet: access.fleet
        case .account: access.account
        case .accountAdmin: access.accountAdministrator
        case .tenantAdmin: access.tenant != .none
        case .token:
            switch access.tenant {
            case .none, .administrator: false
            case .any: true
            case .scope(let scope): scopes.contains(scope)
            }
        }
    }

    private var roleDescription: String {
        guard role == .token else { return role.rawValue }
        let names = scopes.map(\.rawValue).sorted().joined(separator: ", ")
        return "token with \(names.isEmpty ? "no scope" : names)"
    }
}

extension Principal: Equatable {
    public static func == (left: Principal, right: Principal) -> Bool {
        left === right
            || left.key == right.key && left.role == right.role && left.name == right.name && left.account == right.account
                && left.tenant == right.tenant && left.scopes == right.scopes && left.expiresAt == right.expiresAt
                && left.accountIsSuspended == right.accountIsSuspended && left.jobsPerMinute == right.jobsPerMinute
    }
}
