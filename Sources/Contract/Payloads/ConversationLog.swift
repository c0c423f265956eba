extension Kind {
    public static let conversationLog = Kind(
        "conversation.log", family: .conversation, needsTenant: true,
        access: Access(account: true, tenant: .scope(.conversationWrite)), hasInbox: false,
        summary: "Logs messages of a conversation; a message id that is known already is counted as a duplicate.")
}

/// `conversation.log` (contract, section 4), for producers and for finding the words when a body is refused. Workers read bodies
/// with `ConversationLogReader`.
public struct ConversationLog: JobPayload, Equatable {
    public static let kind = Kind.conversationLog
    static let idLengths = 1...128
    static let messageCounts = 1...1_000
    /// The most tokens of a message each way: sums of a period stay within 64 bits whatever producers send.
    static let mostTokens: Int64 = 1_000_000_000
    /// How far `sent_at` may be ahead of the present: one day.
    static let microsecondsAhead: Int64 = 86_400_000_000

    /// 1 to 128 characters.
    public var conversationID: String
    public var channel: String?
    public var metadata: [String: JSONValue]?
    /// 1 to 1,000.
    public var messages: [Message]

    public init(conversationID: String, channel: String? = nil, metadata: [String: JSONValue]? = nil, messages: [Message]) {
        self.conversationID = conversationID
        self.channel = channel
        self.metadata = metadata
        self.messages = messages
    }

    /// As `validate()`, and no message is more than a day ahead of the present.
    ///
    /// - Parameter nowMicroseconds: microseconds since 1970-01-01T00:00:00Z.
    public func validate(nowMicroseconds: Int64) throws(Rejection) {
        try validate()
        let latest = nowMicroseconds.addingReportingOverflow(Self.microsecondsAhead)
        guard !latest.overflow else { return }
        for (index, message) in messages.enumerated() where message.sentAt.microsecondsSince1970 > latest.partialValue {
            throw .invalid("/messages/\(index)/sent_at", "is more than a day ahead")
        }
    }

    public static let fields = Fields(ConversationLog(conversationID: "", messages: [])) {
        Field("conversation_id", \.conversationID, .text(idLengths))
        Field("channel", \.channel, .anyText)
        Field("metadata", \.metadata, .metadata)
        Field("messages", \.messages, .list(.object(Message.fields), messageCounts))
    }

    public static let example = ConversationLog(
        conversationID: "c-1", channel: "web",
        messages: [
            Message(
                id: "m-1", role: .user, content: "Do you open on Saturdays?", sentAt: Instant("2026-11-23T09:12:00Z")!,
                userID: "u-1"),
            Message(
                id: "m-2", role: .assistant, content: "Yes, at nine.", sentAt: Instant("2026-11-23T09:12:02Z")!, tokensIn: 210,
                tokensOut: 12),
        ])

    public static let resultSchema = Schema.object(
        required: ["accepted", "duplicates"], ["accepted": Schema.count, "duplicates": Schema.count])
}
