extension Kind {
    public static let conversationFeedback = Kind(
        "conversation.feedback", family: .conversation, needsTenant: true,
        access: Access(account: true, tenant: .scope(.conversationWrite)), summary: "Rates a logged message, up or down.")
}

/// `conversation.feedback` (contract, section 4): a message has one rating, the last.
public struct ConversationFeedback: JobPayload, Equatable {
    public static let kind = Kind.conversationFeedback

    /// 1 to 128 characters.
    public var conversationID: String
    /// 1 to 128 characters.
    public var messageID: String
    /// -1 or 1.
    public var rating: Int64
    /// At most 4,000 characters.
    public var comment: String?

    public init(conversationID: String, messageID: String, rating: Int64, comment: String? = nil) {
        self.conversationID = conversationID
        self.messageID = messageID
        self.rating = rating
        self.comment = comment
    }

    public static let fields = Fields(ConversationFeedback(conversationID: "", messageID: "", rating: 1)) {
        Field("conversation_id", \.conversationID, .text(1...128))
        Field("message_id", \.messageID, .text(1...128))
        Field("rating", \.rating, .anyInteger.checked("must be -1 or 1", schema: ["enum": [-1, 1]]) { $0 == -1 || $0 == 1 })
        Field("comment", \.comment, .text(0...4_000))
    }

    public static let example = ConversationFeedback(
        conversationID: "c-1", messageID: "m-2", rating: 1, comment: "A quick answer.")

    public static let resultSchema = Schema.object(
        required: ["message_id", "rating"], ["message_id": Schema.anyText, "rating": ["type": "integer"]])
}
