internal import API
internal import Contract
internal import Foundation
internal import Jobs
internal import People

/// Who is at a page, and what they may.
struct Visitor: Sendable {
    let session: ConsoleSession
    let principal: Principal
    let bearer: Bearer
    /// The operator's own, while they look at an account as that account.
    let behind: Bearer?
    /// Whether the console is to change nothing.
    let isReadOnly: Bool
    let clock: Clock

    init(_ session: ConsoleSession, _ principal: Principal, _ cookie: SessionCookie, isReadOnly: Bool) {
        self.session = session
        self.principal = principal
        bearer = cookie.bearer
        behind = cookie.behind
        self.isReadOnly = isReadOnly
        clock = Clock(zone: session.timezone)
    }

    var isOperator: Bool { principal.role == .operator }
    /// The tenant that they are limited to.
    var tenant: String? { principal.tenant }
    /// The account whose things they see; nil: an operator's, who sees all.
    var account: String? { principal.account.isEmpty ? nil : principal.account }

    func may(_ kind: Kind) -> Bool { !isReadOnly && principal.refusal(of: kind, tenant: nil) == nil }

    func may(read reading: Reading) -> Bool { principal.refusal(of: reading, tenant: nil) == nil }

    /// Operators alone settle dead letters.
    var maySettleLetters: Bool { !isReadOnly && may(read: .deadLetters) }

    /// What they are, in words.
    var roleName: String {
        switch principal.role {
        case .operator: "Operator"
        case .fleet: "Fleet"
        case .account: "Account"
        case .accountAdmin: session.reason == nil ? "Account administrator" : "Operator as this account"
        case .tenantAdmin: "Tenant administrator"
        case .token: "Token"
        }
    }
}
