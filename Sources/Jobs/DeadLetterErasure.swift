internal import Contract
internal import Crypto
public import Postgres

/// What was erased, and must not stay in dead letters either. The leader looks into those that lie there, and into those that come later because
/// their jobs were still being tried.
public struct DeadLetterErasure: Sendable {
    /// What a letter is looked at for.
    public enum Field: String, Sendable {
        case conversation = "conversation_id"
        case user = "user_id"
    }

    public let tenant: String
    /// nil: everything of the tenant.
    public let field: Field?
    /// SHA-256 of the conversation's or the user's id.
    private let digest: [UInt8]

    init(tenant: String, field: Field?, digest: [UInt8]) {
        self.tenant = tenant
        self.field = field
        self.digest = digest
    }

    /// Notes what was erased, in the transaction that erases it.
    ///
    /// - Parameter subject: which conversation or user, by its id; nil: everything of the tenant.
    public static func note(
        _ tenant: String, _ subject: (field: Field, id: String)? = nil, on database: inout Transaction
    ) throws(PostgresError) {
        _ = try database.query(
            SQL.note, tenant, subject?.field.rawValue, subject.map { Array(SHA256.hash(data: Array($0.id.utf8))) })
    }

    /// All that letters have to be looked at for, by tenant.
    public static func all(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [String: [DeadLetterErasure]] {
        let rows = try database.query(SQL.all).decode { (tenant: String, field: String?, digest: [UInt8]?) in
            DeadLetterErasure(tenant: tenant, field: field.flatMap(Field.init(rawValue:)), digest: digest ?? [])
        }
        return Dictionary(grouping: rows, by: \.tenant)
    }

    /// Whether a letter of the tenant holds something of what was erased. Where that cannot be read, it is taken to.
    public func concerns(kind: String, body: UnsafeRawBufferPointer, isCut: Bool) -> Bool {
        guard let field else { return true }
        guard kind.hasPrefix("conversation.") else { return false }
        guard !isCut, let payload = try? JSONValue(parsing: Array(body)) else { return true }
        return isSubject(payload[field.rawValue]) || payload.messages.contains { isSubject($0[field.rawValue]) }
    }

    private func isSubject(_ value: JSONValue?) -> Bool {
        guard case .string(let id)? = value else { return false }
        return SHA256.hash(data: Array(id.utf8)) == digest
    }

    enum SQL {
        static let note: Statement = "insert into tenantry.dead_letter_erasures (tenant, field, digest) values ($1, $2, $3)"
        static let all: Statement = "select tenant, field, digest from tenantry.dead_letter_erasures"
    }
}

extension JSONValue {
    fileprivate var messages: [JSONValue] {
        guard case .array(let messages)? = self["messages"] else { return [] }
        return messages
    }
}
