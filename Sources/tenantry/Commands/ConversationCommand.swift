internal import ArgumentParser
internal import Contract
internal import Conversations
internal import Jobs
internal import Postgres

struct ConversationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conversation", abstract: "What was said to a tenant's chatbot; that it was read is on record.",
        subcommands: [List.self, Show.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a tenant's conversations, those that began last first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Option(help: ArgumentHelp("Only with a message then or later: 2026-11-23T00:00:00Z.", valueName: "time"))
        var from: Moment?
        @Option(help: ArgumentHelp("Only with no message then or later.", valueName: "time"))
        var to: Moment?
        @Option(help: "Only of this channel.")
        var channel: String?
        @Option(name: .customLong("user-id"), help: "Only with a message of this user.")
        var userID: String?
        @Option(help: "Only with a message that was rated so: 1 or -1.")
        var rating: Int64?
        @Option(help: "Only with these words in its messages.")
        var query: String?

        func validate() throws {
            if let rating, ![-1, 1].contains(rating) { throw ValidationError("--rating must be 1 or -1") }
        }

        func run(with settings: Settings) throws {
            var data = try TenantData(tenant, .conversations, settings)
            let filter = ConversationSummary.Filter(
                from: from?.time, to: to?.time, channel: channel, userID: userID, rating: rating, words: query)
            let found = try page.rows(of: ConversationSummary.self, \.position) {
                try ConversationSummary.page(in: data.schema, filter, after: $0, limit: $1, on: &data.database)
            }
            Table(ConversationSummary.representation, without: output.format == .json ? [] : ["metadata"], found)
                .print(output.format)
        }
    }

    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a conversation's messages, the oldest first.")

        /// Messages of one query.
        private static let page = 1_000

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Argument(help: "The conversation's id.")
        var conversation: String

        func run(with settings: Settings) throws {
            var data = try TenantData(
                tenant, .conversations, settings, details: ["conversation_id": .string(String(conversation.prefix(200)))])
            guard try ConversationSummary.find(conversation, in: data.schema, on: &data.database) != nil else {
                throw Failure("tenant \(tenant) has no conversation \(conversation)")
            }
            var messages: [MessageRecord] = []
            var isMore = true
            while isMore {
                let found = try MessageRecord.page(
                    of: conversation, in: data.schema, after: messages.last?.position, limit: Self.page, on: &data.database)
                messages += found
                isMore = found.count == Self.page
            }
            let hidden: Set<String> =
                output.format == .json ? [] : ["conversation_id", "metadata", "tokens_in", "tokens_out", "model", "rated_at"]
            Table(MessageRecord.representation, without: hidden, messages).print(output.format)
        }
    }
}
