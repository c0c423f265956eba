/// Something that can be read, and who may: with the kinds' ``Access`` the one table of rights.
public struct Reading: Sendable, Hashable {
    /// As it stands in messages: `its documents may not be read …`.
    public let name: String
    public let access: Access

    private init(_ name: String, _ access: Access) {
        self.name = name
        self.access = access
    }

    // What an account and its tenants are; an operator sees all of them.
    public static let accounts = Reading("accounts", Access(operator: true, account: true))
    public static let tenants = Reading("tenants", Access(operator: true, account: true, tenant: .any))
    public static let usage = Reading("usage", Access(operator: true, account: true, tenant: .scope(.usageRead)))
    public static let plans = Reading("plans", Access(operator: true, account: true))
    public static let alerts = Reading("alerts", Access(operator: true, account: true))
    public static let invoices = Reading("invoices", Access(operator: true, account: true))
    public static let audit = Reading("audit", Access(operator: true, account: true))

    public static let attention = Reading("what needs attention", Access(operator: true, account: true))

    // What is a customer's own; no operator's.
    public static let settings = Reading("settings", Access(account: true, tenant: .scope(.settingsRead)))
    public static let documents = Reading("documents", Access(account: true, tenant: .scope(.corpusRead)))
    public static let conversations = Reading("conversations", Access(account: true, tenant: .scope(.conversationRead)))
    public static let export = Reading("export", Access(account: true))
    public static let templates = Reading("templates", Access(account: true))
    public static let tokens = Reading("tokens", Access(account: true, tenant: .scope(.tokensRead)))
    public static let webhooks = Reading("webhooks", Access(account: true))
    public static let administrators = Reading("administrators", Access(account: true, tenant: .administrator))

    // The platform's.
    public static let queues = Reading("queues", Access(operator: true))
    public static let workers = Reading("workers", Access(operator: true))
    public static let deadLetters = Reading("dead letters", Access(operator: true))

    // One's own.
    public static let jobs = Reading("jobs", Access(operator: true, account: true, tenant: .any))
    public static let sessions = Reading("sessions", Access(operator: true, account: true, tenant: .any))
    public static let me = Reading("me", Access(operator: true, account: true, tenant: .any))

    public static let all = [
        accounts, tenants, usage, plans, alerts, invoices, audit, attention, settings, documents, conversations, export,
        templates, tokens, administrators, webhooks, queues, workers, deadLetters, jobs, sessions, me,
    ]
}
