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

    enum CodingKeys: String, CodingKey {
        case rating, comment
        case conversationID = "conversation_id"
        case messageID = "message_id"
    }

    public func validate() throws(Rejection) {
        try Rule.length(conversationID, 1...128, "/conversation_id")
        try Rule.length(messageID, 1...128, "/message_id")
        try Rule.require(rating == -1 || rating == 1, "/rating", "must be -1 or 1")
        try Rule.length(comment, 0...4_000, "/comment")
    }

    public static let schema = Schema.object(
        required: ["conversation_id", "message_id", "rating"],
        [
            "conversation_id": Schema.text(1...128), "message_id": Schema.text(1...128),
            "rating": ["type": "integer", "enum": [-1, 1]], "comment": Schema.optional(Schema.text(0...4_000)),
        ])

    public static let resultSchema = Schema.object(
        required: ["message_id", "rating"], ["message_id": Schema.anyText, "rating": ["type": "integer"]])
}
