/// The kinds that share a queue (contract, section 1).
public enum Family: String, Sendable, CaseIterable {
    case account, tenant, corpus, conversation, usage

    /// The family's queue: `tenantry.<family>`.
    public var queue: String { "tenantry.\(rawValue)" }

    /// Lanes of a worker that serves the family, unless it is told otherwise: more than one where most jobs are.
    public var defaultLanes: Int { self == .conversation ? 2 : 1 }

    /// What the family's queue is bound with on `tenantry.jobs`: its kinds, but for those of the control queue.
    public var bindingKeys: [String] { Kind.all.filter { $0.family == self && !$0.isControl }.map(\.name) }

    /// What it was bound with before each kind had a binding of its own.
    public var formerBindingKeys: [String] {
        switch self {
        case .account, .corpus, .conversation: ["\(rawValue).#"]
        case .tenant: ["tenant.#", "admin.#", "token.#", "template.#"]
        case .usage: ["usage.#", "billing.#"]
        }
    }
}
