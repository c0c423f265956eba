internal import ArgumentParser
internal import Contract
internal import Corpus
internal import Jobs
internal import Postgres

struct CorpusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus", abstract: "What a tenant's chatbot knows.", subcommands: [List.self, Show.self, Search.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a tenant's documents, by their ids.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Option(help: "Only with this in title or id.")
        var query: String?
        @Option(help: "Only of this segment.")
        var segment: String?
        @Option(help: "Only with this tag.")
        var tag: String?
        @Option(help: "Only in this state.")
        var state: Choice<DocumentSummary.State>?

        func run(with settings: Settings) throws {
            var data = try TenantData(tenant, .documents, settings)
            let found = try page.rows(of: DocumentSummary.self, \.position) {
                try DocumentSummary.page(
                    in: data.schema, part: query, segment: segment, tag: tag, state: state?.word.rawValue, after: $0, limit: $1,
                    on: &data.database)
            }
            let hidden: Set<String> = output.format == .json ? [] : ["language", "tags", "metadata"]
            Table(DocumentSummary.representation, without: hidden, found).print(output.format)
        }
    }

    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a document with its chunks, as JSON.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Argument(help: "The document's external_id.")
        var document: String

        func run(with settings: Settings) throws {
            var data = try TenantData(
                tenant, .documents, settings, details: ["external_id": .string(String(document.prefix(200)))])
            guard let found = try DocumentDetails.find(document, in: data.schema, on: &data.database) else {
                throw Failure("tenant \(tenant) has no document \(document)")
            }
            print(DocumentDetails.representation.json(found).pretty())
        }
    }

    struct Search: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Finds the chunks that match a query best, each in its document's language.",
            discussion: "The query is in web-search syntax: words, \"a phrase\", or, -without.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Argument(help: "What to look for.")
        var query: [String]
        @Option(help: "The most hits.")
        var limit = Count(10)

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry corpus"))
            let text = query.joined(separator: " ")
            try AccessRecord.write(
                .search, of: tenant, by: .user(commandActor()),
                details: ["payload": ["query": .string(String(text.prefix(1_000)))]],
                on: &database)
            let found: [CorpusSearch.Hit]?
            do {
                found = try CorpusSearch.run(tenant: tenant, query: text, limit: limit.value, on: &database)
            } catch let rejection as Rejection {
                throw Failure(rejection.message)
            }
            guard let hits = found else { throw Failure("there is no tenant \(tenant)") }
            var table = Table(["document", "title", "position", "heading", "excerpt", "rank"])
            for hit in hits {
                table.append([
                    .text(hit.externalID), .text(hit.title), .int(Int64(hit.position)), .text(hit.heading), .text(hit.excerpt),
                    .double(hit.rank),
                ])
            }
            table.print(output.format)
        }
    }
}
