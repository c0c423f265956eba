internal import Contract
internal import Fleet
internal import Jobs

/// Everybody who can hold a credential, seen from the account `acme` with the tenants `shop` and `blog`.
enum AuthorizationSender: String, Sendable, CaseIterable {
    case `operator`, fleet, account, accountAdmin
    /// An administrator of `shop`.
    case tenantAdmin
    /// Tokens for all of the account's tenants, with one scope or none.
    case wideNone, wideSettings, wideCorpus, wideLog, wideErase
    /// Tokens for `shop` alone.
    case ownNone, ownSettings, ownCorpus, ownLog, ownErase

    /// Where a job is sent, as its header says.
    enum Place: String, Sendable, CaseIterable {
        case own = "shop"
        case sibling = "blog"
        case stranger = "foreign"
    }

    static let accounts: Set = [account, accountAdmin]
    static let everyToken: Set = [
        wideNone, wideSettings, wideCorpus, wideLog, wideErase, ownNone, ownSettings, ownCorpus, ownLog, ownErase,
    ]

    /// Who may send what, by the contract's section 4; not derived from `Kind.access`, which it is to be held against.
    static let allowed: [String: Set<AuthorizationSender>] = [
        "account.create": [.operator],
        "account.update": [.operator],
        "account.rotate": [.account, .operator],
        "tenant.create": accounts,
        "tenant.create_many": accounts,
        "tenant.update": accounts.union([.tenantAdmin, .wideSettings, .ownSettings]),
        "tenant.suspend": accounts,
        "tenant.resume": accounts,
        "tenant.delete": accounts,
        "tenant.restore": accounts,
        "admin.create": accounts.union([.tenantAdmin]),
        "admin.remove": accounts.union([.tenantAdmin]),
        "token.issue": accounts.union([.tenantAdmin]).union(everyToken),
        "token.revoke": accounts.union([.tenantAdmin]).union(everyToken),
        "template.save": accounts,
        "template.remove": accounts,
        "template.apply": accounts,
        "webhook.create": accounts,
        "webhook.update": accounts,
        "webhook.remove": accounts,
        "webhook.rotate": accounts,
        "webhook.test": accounts,
        "webhook.resend": accounts,
        "webhook.recover": accounts,
        "corpus.ingest": accounts.union([.tenantAdmin, .wideCorpus, .ownCorpus]),
        "corpus.remove": accounts.union([.tenantAdmin, .wideCorpus, .ownCorpus]),
        "conversation.log": accounts.union([.tenantAdmin, .wideLog, .ownLog]),
        "conversation.feedback": accounts.union([.tenantAdmin, .wideLog, .ownLog]),
        "conversation.erase": accounts.union([.tenantAdmin, .wideErase, .ownErase]),
        "usage.aggregate": accounts.union([.operator, .fleet, .tenantAdmin]).union(everyToken),
        "billing.close": accounts.union([.operator]),
    ]

    /// Which tenants a sender reaches, whatever the kind.
    var reach: Set<Place> {
        switch self {
        case .operator, .fleet: [.own, .sibling, .stranger]
        case .account, .accountAdmin, .wideNone, .wideSettings, .wideCorpus, .wideLog, .wideErase: [.own, .sibling]
        case .tenantAdmin, .ownNone, .ownSettings, .ownCorpus, .ownLog, .ownErase: [.own]
        }
    }

    /// - Parameter place: the header's tenant; nil: no header.
    func may(send kind: Kind, to place: Place?) -> Bool {
        Self.allowed[kind.name]?.contains(self) == true && place.map { reach.contains($0) } != false
    }

    var role: Principal.Role {
        switch self {
        case .operator: .operator
        case .fleet: .fleet
        case .account: .account
        case .accountAdmin: .accountAdmin
        case .tenantAdmin: .tenantAdmin
        default: .token
        }
    }

    /// `acme`, but for the platform's own.
    var account: String { role == .operator || role == .fleet ? "" : "acme" }

    /// What the credential itself is limited to.
    var tenant: String? { reach == [.own] ? Place.own.rawValue : nil }

    var scopes: Set<Scope> {
        switch self {
        case .wideSettings, .ownSettings: [.settingsWrite]
        case .wideCorpus, .ownCorpus: [.corpusWrite]
        case .wideLog, .ownLog: [.conversationWrite]
        case .wideErase, .ownErase: [.conversationErase]
        default: []
        }
    }

    var principal: Principal {
        Principal(key: "k", role: role, account: account, tenant: tenant, scopes: scopes)
    }
}
