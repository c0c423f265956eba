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
    fileprivate let digest: [UInt8]

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
    public static func all(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [String: DeadLetterErasures] {
        let rows = try database.query(SQL.all).decode { (tenant: String, field: String?, digest: [UInt8]?) in
            DeadLetterErasure(tenant: tenant, field: field.flatMap(Field.init(rawValue:)), digest: digest ?? [])
        }
        return Dictionary(grouping: rows, by: \.tenant).mapValues { DeadLetterErasures($0) }
    }

    enum SQL {
        static let note: Statement = "insert into tenantry.dead_letter_erasures (tenant, field, digest) values ($1, $2, $3)"
        static let all: Statement = "select tenant, field, digest from tenantry.dead_letter_erasures"
    }
}

/// All that was erased of a tenant. A letter is read once, however much that is.
public struct DeadLetterErasures: Sendable {
    private let isEverything: Bool
    private let conversations: Set<[UInt8]>
    private let users: Set<[UInt8]>

    init(_ erasures: [DeadLetterErasure]) {
        isEverything = erasures.contains { $0.field == nil }
        conversations = Set(erasures.filter { $0.field == .conversation }.map(\.digest))
        users = Set(erasures.filter { $0.field == .user }.map(\.digest))
    }

    /// Whether a letter of the tenant holds something of what was erased. Where that cannot be read, it is taken to.
    public func concern(kind: String, body: UnsafeRawBufferPointer, isCut: Bool) -> Bool {
        if isEverything { return true }
        guard kind.hasPrefix("conversation.") else { return false }
        guard !isCut, let payload = try? JSONValue(parsing: Array(body)) else { return true }
        return ([payload] + payload.messages).contains { holds($0) }
    }

    private func holds(_ object: JSONValue) -> Bool {
        func isAmong(_ digests: Set<[UInt8]>, _ field: DeadLetterErasure.Field) -> Bool {
            guard !digests.isEmpty, case .string(let id)? = object[field.rawValue] else { return false }
            return digests.contains(Array(SHA256.hash(data: Array(id.utf8))))
        }
        return isAmong(conversations, .conversation) || isAmong(users, .user)
    }
}

extension JSONValue {
    fileprivate var messages: [JSONValue] {
        guard case .array(let messages)? = self["messages"] else { return [] }
        return messages
    }
}
