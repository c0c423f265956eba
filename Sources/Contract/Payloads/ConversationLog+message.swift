extension Role {
    init?(word: String) {
        guard let role = Role.allCases.first(where: { $0.text.description == word }) else { return nil }
        self = role
    }

    /// The word that stands for it in JSON.
    var word: String { text.description }

    static let fieldType = FieldType<Role>(
        schema: ["type": "string", "enum": .array(allCases.map { .string($0.word) })],
        read: { value throws(FieldFailure) in
            guard case .string(let text) = value else { throw FieldType<Role>.mismatch("a string", value) }
            guard let role = Role(word: text) else {
                throw FieldFailure("must be one of \(allCases.map(\.word).joined(separator: ", "))")
            }
            return role
        }, write: { .string($0.word) })
}

extension ConversationLog {
    /// One message; its id is unique within the tenant.
    public struct Message: Sendable, Equatable {
        /// 1 to 128 characters.
        public var id: String
        public var role: Role
        public var content: String
        /// At most a day ahead.
        public var sentAt: Instant
        /// 1 to 128 characters.
        public var userID: String?
        /// 0 to 1,000,000,000.
        public var tokensIn: Int64?
        /// 0 to 1,000,000,000.
        public var tokensOut: Int64?
        public var model: String?
        public var metadata: [String: JSONValue]?

        public init(
            id: String, role: Role, content: String, sentAt: Instant, userID: String? = nil, tokensIn: Int64? = nil,
            tokensOut: Int64? = nil, model: String? = nil, metadata: [String: JSONValue]? = nil
        ) {
            self.id = id
            self.role = role
            self.content = content
            self.sentAt = sentAt
            self.userID = userID
            self.tokensIn = tokensIn
            self.tokensOut = tokensOut
            self.model = model
            self.metadata = metadata
        }

        static let fields = Fields(Message(id: "", role: .user, content: "", sentAt: Instant(microsecondsSince1970: 0))) {
            Field("id", \.id, .text(idLengths))
            Field("role", \.role, Role.fieldType)
            Field("content", \.content, .anyText)
            Field("sent_at", \.sentAt, .instant)
            Field("user_id", \.userID, .text(idLengths))
            Field("tokens_in", \.tokensIn, .integer(0...mostTokens))
            Field("tokens_out", \.tokensOut, .integer(0...mostTokens))
            Field("model", \.model, .anyText)
            Field("metadata", \.metadata, .metadata)
        }
    }
}
