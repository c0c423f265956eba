public import Contract
public import Jobs
public import Postgres

/// A message of a conversation, with the rating that it has.
public struct MessageRecord: Sendable {
    public let id: String
    public let conversationID: String
    /// `user`, `assistant`, `system` or `tool`.
    public let role: String
    public let userID: String?
    public let content: String
    public let sentAt: Timestamp
    public let tokensIn: Int64?
    public let tokensOut: Int64?
    public let model: String?
    /// An object, or null.
    public let metadata: JSONValue
    /// -1 or 1; nil: it has none.
    public let rating: Int64?
    public let ratingComment: String?
    public let ratedAt: Timestamp?

    public static let representation = Representation<MessageRecord> {
        Member.text("id", \.id)
        Member.text("conversation_id", \.conversationID)
        Member.text("role", \.role)
        Member.text("user_id", \.userID)
        Member.text("content", \.content)
        Member.instant("sent_at", \.sentAt)
        Member.number("tokens_in", \.tokensIn)
        Member.number("tokens_out", \.tokensOut)
        Member.text("model", \.model)
        Member.object("metadata", \.metadata)
        Member.number("rating", \.rating)
        Member.text("rating_comment", \.ratingComment)
        Member.instant("rated_at", \.ratedAt)
    }

    private typealias Member = Representation<MessageRecord>.Member

    public var position: [String] { [sentAt.rfc3339, id] }

    /// A page of a conversation's messages, the oldest first; none where the tenant has no such conversation.
    ///
    /// - Parameter position: of the last row of the page before; nil: from the start.
    public static func page(
        of conversation: String, in schema: Identifier, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [MessageRecord] {
        let start = PageStart(after: position)
        return try database.query(
            ConversationReadSQL.messages(schema), conversation, start.ascendingTime(0), start.text(1), limit
        ).decode(MessageRecord.init)
    }
}
