extension Kind {
    public static let conversationErase = Kind(
        "conversation.erase", family: .conversation, needsTenant: true,
        access: Access(account: true, tenant: .scope(.conversationErase)), states: .alive, isAudited: true,
        summary: "Deletes a conversation, or all that a user said, for good.")
}

/// `conversation.erase` (contract, section 4): by exactly one of its fields.
public struct ConversationErase: JobPayload, Equatable {
    public static let kind = Kind.conversationErase

    /// 1 to 128 characters.
    public var conversationID: String?
    /// 1 to 128 characters: the conversations that this user alone took part in, and the user's own messages in others.
    public var userID: String?

    public init(conversationID: String? = nil, userID: String? = nil) {
        self.conversationID = conversationID
        self.userID = userID
    }

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case userID = "user_id"
    }

    public func validate() throws(Rejection) {
        try Rule.require(conversationID != nil || userID != nil, "/conversation_id", "is missing, and so is /user_id")
        try Rule.require(conversationID == nil || userID == nil, "/user_id", "cannot be given together with /conversation_id")
        try Rule.length(conversationID, 1...128, "/conversation_id")
        try Rule.length(userID, 1...128, "/user_id")
    }

    public static let schema = Schema.object([
        "conversation_id": Schema.optional(Schema.text(1...128)), "user_id": Schema.optional(Schema.text(1...128)),
    ]).mergePatch(Schema.exactlyOne(of: ["conversation_id", "user_id"]))

    public static let resultSchema = Schema.object(
        required: ["rows", "messages", "conversations"],
        ["rows": Schema.count, "messages": Schema.count, "conversations": Schema.count, "active_users": Schema.count])
}
