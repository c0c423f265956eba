public import Contract
public import Jobs
public import Postgres

/// A conversation of a tenant, without its messages.
public struct ConversationSummary: Sendable {
    public let id: String
    /// Its earliest message.
    public let startedAt: Timestamp
    public let lastMessageAt: Timestamp
    public let messageCount: Int64
    public let channel: String?
    /// An object, or null.
    public let metadata: JSONValue
    /// The beginning of what its user said first, at most 200 characters; nil: no user has said anything.
    public let preview: String?
    /// Its place in a list. Its earliest message may come late, and the last one is always another: neither time stays as it is, so the time
    /// at which it began is noted with its first message.
    let openedAt: Timestamp

    public static let representation = Representation<ConversationSummary> {
        Member.text("id", \.id)
        Member.instant("started_at", \.startedAt)
        Member.instant("last_message_at", \.lastMessageAt)
        Member.number("message_count", \.messageCount)
        Member.text("channel", \.channel)
        Member.object("metadata", \.metadata)
        Member.text("preview", \.preview)
    }

    private typealias Member = Representation<ConversationSummary>.Member

    public var position: [String] { [openedAt.rfc3339, id] }

    /// What a list of conversations is asked for; nil lets everything pass.
    public struct Filter: Sendable {
        /// With a message at this time or later.
        public var from: Timestamp?
        /// Whose last message is earlier than this.
        public var to: Timestamp?
        public var channel: String?
        /// With a message of this user.
        public var userID: String?
        /// With a message that has this rating, -1 or 1.
        public var rating: Int64?
        /// Words that stand in its messages, each in any of them, in capital letters or small ones; what is more than ten words is not looked for.
        public var words: String?

        public init(
            from: Timestamp? = nil, to: Timestamp? = nil, channel: String? = nil, userID: String? = nil, rating: Int64? = nil,
            words: String? = nil
        ) {
            self.from = from
            self.to = to
            self.channel = channel
            self.userID = userID
            self.rating = rating
            self.words = words
        }

        static let mostWords = 10

        /// nil where there are none to look for.
        var wordList: [String]? {
            let list = (words ?? "").split(whereSeparator: \.isWhitespace).prefix(Self.mostWords).map { String($0) }
            return list.isEmpty ? nil : list
        }
    }

    /// A page of a tenant's conversations, those that began last first.
    ///
    /// - Parameter position: of the last row of the page before; nil: from the start.
    public static func page(
        in schema: Identifier, _ filter: Filter = Filter(), after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [ConversationSummary] {
        let start = PageStart(after: position)
        return try database.query(
            ConversationReadSQL.page(schema), filter.from, filter.to, filter.channel, filter.userID, filter.rating,
            filter.wordList, start.time(0), start.text(1), limit
        ).decode(ConversationSummary.init)
    }

    /// One conversation; nil if the tenant has none of this id.
    public static func find(
        _ id: String, in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> ConversationSummary? {
        try database.query(ConversationReadSQL.find(schema), id).decode(ConversationSummary.init).first
    }
}
