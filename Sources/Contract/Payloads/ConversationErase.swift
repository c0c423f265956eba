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

    public static let fields = Fields(
        ConversationErase(), rules: [.exactlyOne("conversation_id", \.conversationID, "user_id", \.userID)]
    ) {
        Field("conversation_id", \.conversationID, .text(1...128))
        Field("user_id", \.userID, .text(1...128)).neverAudited
    }

    public static let example = ConversationErase(userID: "u-1")

    public static let resultSchema = Schema.object(
        required: ["rows", "messages", "conversations"],
        ["rows": Schema.count, "messages": Schema.count, "conversations": Schema.count, "active_users": Schema.count])
}
