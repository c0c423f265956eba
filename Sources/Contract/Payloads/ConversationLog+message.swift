extension Role: Codable {
    init?(word: String) {
        guard let role = Role.allCases.first(where: { $0.text.description == word }) else { return nil }
        self = role
    }

    private static var words: String { allCases.map(\.text.description).joined(separator: ", ") }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let role = Role(word: try container.decode(String.self)) else {
            throw DecodingError.unacceptable("must be one of \(Self.words)", at: container.codingPath)
        }
        self = role
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text.description)
    }
}

extension ConversationLog {
    /// One message; its id is unique within the tenant.
    public struct Message: Codable, Sendable, Equatable {
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

        enum CodingKeys: String, CodingKey {
            case id, role, content, model, metadata
            case sentAt = "sent_at"
            case userID = "user_id"
            case tokensIn = "tokens_in"
            case tokensOut = "tokens_out"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(String.self, forKey: .id)
            role = try container.decode(Role.self, forKey: .role)
            content = try container.decode(String.self, forKey: .content)
            sentAt = try container.decode(Instant.self, forKey: .sentAt)
            userID = try container.decodeIfPresent(String.self, forKey: .userID)
            tokensIn = try container.decodeInteger(Int64.self, forKey: .tokensIn)
            tokensOut = try container.decodeInteger(Int64.self, forKey: .tokensOut)
            model = try container.decodeIfPresent(String.self, forKey: .model)
            metadata = try container.decodeIfPresent([String: JSONValue].self, forKey: .metadata)
        }

        func validate(_ field: String) throws(Rejection) {
            try Rule.length(id, ConversationLog.idLengths, "\(field)/id")
            try Rule.length(userID, ConversationLog.idLengths, "\(field)/user_id")
            for (tokens, name) in [(tokensIn, "tokens_in"), (tokensOut, "tokens_out")] {
                try Rule.require(
                    (0...ConversationLog.mostTokens).contains(tokens ?? 0), "\(field)/\(name)",
                    "must be 0 to \(ConversationLog.mostTokens)")
            }
        }

        private static let tokens = Schema.count.mergePatch(["maximum": .int(ConversationLog.mostTokens)])

        static let schema = Schema.object(
            required: ["id", "role", "content", "sent_at"],
            [
                "id": Schema.text(ConversationLog.idLengths),
                "role": ["type": "string", "enum": .array(Role.allCases.map { .string($0.text.description) })],
                "content": Schema.anyText, "sent_at": Instant.schema,
                "user_id": Schema.optional(Schema.text(ConversationLog.idLengths)),
                "tokens_in": Schema.optional(tokens), "tokens_out": Schema.optional(tokens),
                "model": Schema.optional(Schema.anyText), "metadata": Schema.anyObject,
            ])
    }
}
