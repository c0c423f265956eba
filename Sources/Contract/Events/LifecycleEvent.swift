/// What becomes known of accounts and tenants on `tenantry.events`, beside the outcomes of jobs. The one list of these events: handlers name
/// them by it, and the AsyncAPI document describes them from it.
public enum LifecycleEvent: String, Sendable, CaseIterable {
    case accountCreated = "account.created"
    case accountUpdated = "account.updated"
    case tenantCreated = "tenant.created"
    case tenantUpdated = "tenant.updated"
    case tenantSuspended = "tenant.suspended"
    case tenantResumed = "tenant.resumed"
    case tenantArchived = "tenant.archived"
    case tenantRestored = "tenant.restored"
    case tenantPurged = "tenant.purged"
    case invoiceCreated = "invoice.created"
    case invoiceSent = "invoice.sent"
    case invoiceFailed = "invoice.failed"
    case activityIdle = "activity.idle"
    case webhookDisabled = "webhook.disabled"

    /// Whom an event is about, and so how its routing key goes on.
    public enum Subject: Sendable {
        case account
        case tenant
        /// The account, or one of its tenants: what is not a tenant's own has no tenant in its routing key either.
        case accountOrTenant
    }

    public var subject: Subject {
        switch self {
        case .accountCreated, .accountUpdated: .account
        case .invoiceCreated, .webhookDisabled: .accountOrTenant
        default: .tenant
        }
    }

    /// The routing key, what differs in angle brackets.
    public var routingKey: String {
        switch subject {
        case .account: "\(rawValue).<account>"
        case .tenant: "\(rawValue).<account>.<tenant>"
        case .accountOrTenant: "\(rawValue).<account>[.<tenant>]"
        }
    }

    /// One sentence for the AsyncAPI document.
    public var summary: String {
        switch self {
        case .accountCreated: "An account was opened."
        case .accountUpdated: "An account's name, plan, periods, prefix or limits were changed."
        case .tenantCreated: "A tenant was opened."
        case .tenantUpdated: "A tenant's name, plan, settings, billing or limits were changed."
        case .tenantSuspended: "A tenant takes no more jobs until it is resumed."
        case .tenantResumed: "A tenant that was suspended takes jobs again."
        case .tenantArchived: "A tenant was archived, and is purged after its retention time."
        case .tenantRestored: "An archive was undone."
        case .tenantPurged: "A tenant's schema is gone, with all its rows."
        case .invoiceCreated: "An invoice of a finished period was made: the account's, or a tenant's own."
        case .invoiceSent: "A tenant's invoice has gone out through Stripe."
        case .invoiceFailed: "Stripe refused a tenant's invoice; error says why."
        case .activityIdle: "Nobody has used a tenant for the configured time."
        case .webhookDisabled: "A webhook is called no more, because it answered 410 or failed for a week; reason says which."
        }
    }
}
