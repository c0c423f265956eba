internal import AMQP
internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres
internal import Schema

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "The dead-letter queue: jobs that were given up, and why.",
        subcommands: [List.self, CountLetters.self, Show.self, Replay.self, Discard.self])

    /// Which letters a command means.
    struct Selection: ParsableArguments {
        @Argument(help: "Job ids.")
        var ids: [String] = []
        @Option(help: "Only letters of this kind.")
        var kind: String?
        @Option(help: "Only letters with this error code.")
        var code: String?
        @Option(help: "Only letters of this tenant.")
        var tenant: String?

        func checkSays(all: Bool) throws {
            guard all || !isEmpty else { throw ValidationError("name job ids, --kind, --code or --tenant, or say --all") }
        }

        var isEmpty: Bool { ids.isEmpty && kind == nil && code == nil && tenant == nil }

        var filter: DeadLetterRecord.Filter { .init(jobIDs: ids, kind: kind, code: code, tenant: tenant) }
    }

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists dead letters, oldest first.",
            discussion: """
                Reads tenantry.dead_letters and leaves the queue alone. With --format json there are also the letter's id, the account and the \
                key that the job came from, whether it can be replayed without a credential, and what was taken out of its body.
                """)

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var selection: Selection
        @Option(help: "The most letters.")
        var limit = Count(1_000)

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry dead"))
            let isWhole = output.format == .json
            let columns = ["job_id", "kind", "tenant", "code", "field", "message", "attempts", "failed_at"]
            var table = Table(columns + (isWhole ? ["letter", "account", "key", "body_bytes", "sealed", "redacted"] : []))
            for letter in try DeadLetterRecord.list(selection.filter, limit: limit.value, on: &database) {
                let cells: [JSONValue] = [
                    .string(letter.jobID), .string(letter.kind), .text(letter.tenant), .string(letter.code), .text(letter.field),
                    .string(letter.message), .int(letter.attempts), .string(letter.failedAt.rfc3339),
                ]
                let more: [JSONValue] = [
                    .string(letter.id), .text(letter.account), .text(letter.key), .int(letter.bodyBytes), .bool(letter.isSealed),
                    .string(letter.redacted),
                ]
                table.append(cells + (isWhole ? more : []))
            }
            table.print(output.format)
        }
    }

    struct CountLetters: ServerCommand {
        static let configuration = CommandConfiguration(
            commandName: "count", abstract: "Counts dead letters, by error code or otherwise.",
            discussion: "Reads tenantry.dead_letters and leaves the queue alone.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var selection: Selection
        @Option(help: "By code, kind, account, tenant or key; may be said more than once.")
        var by: [Grouping] = [.code]

        enum Grouping: String, ExpressibleByArgument, CaseIterable {
            case code, kind, account, tenant, key
        }

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry dead"))
            let groups = DeadLetterRecord.Group.allCases.filter { group in by.contains { $0.rawValue == group.rawValue } }
            var table = Table(groups.map(\.rawValue) + ["letters"])
            for row in try DeadLetterRecord.count(selection.filter, by: Set(groups), on: &database) {
                table.append(groups.map { .text(row.values[$0].flatMap { $0.isEmpty ? nil : $0 }) } + [.int(row.letters)])
            }
            table.print(output.format)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a dead letter whole: properties, headers, payload.",
            discussion: "Neither a credential's secret nor a password is in a dead letter.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id.")
        var id: String

        func run() async throws {
            let queue = try DeadLetterQueue(try await Settings(server).broker())
            defer { queue.close() }
            var found = false
            for _ in 0..<(try queue.count()) {
                guard let letter = try queue.next() else { break }
                guard letter.jobID == id else { continue }
                found = true
                DeadCommand.printLetter(letter)
            }
            guard found else { throw Failure("no dead letter has the job id \(id)") }
        }
    }

    struct Replay: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends dead jobs again, as they first came; a job whose cause is mended runs.",
            discussion: """
                A sealed letter, one whose credential held, is done for the same key, if that still may. All others are sent only with a \
                credential that is given here; it then goes with all that are selected. Environment variables do not count, so that nobody's \
                job is done by mistake with your rights. What cannot be replayed is named and stays; the exit code is 1 then.
                """)

        @OptionGroup var server: ServerOptions
        @OptionGroup var selection: Selection
        @Flag(help: "All of them.")
        var all = false
        @OptionGroup var credential: CredentialOptions
        @Option(
            help: ArgumentHelp("A file whose first line is the password that was taken out of the job.", valueName: "file"))
        var passwordFile: String?

        func validate() throws { try selection.checkSays(all: all) }

        func run(with settings: Settings) throws {
            let token = try credential.given()
            let password = try passwordFile.map { try SecretFile.firstLine(of: $0, trims: false) }
            try DeadCommand.settle(settings, selection, "replayed") { queue, letter in
                try queue.replay(letter, credential: token, password: password)
            }
        }
    }

    struct Discard: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Removes dead letters for good.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var selection: Selection
        @Flag(help: "All of them.")
        var all = false

        func validate() throws { try selection.checkSays(all: all) }

        func run(with settings: Settings) throws {
            try DeadCommand.settle(settings, selection, "discarded") { queue, letter in try queue.discard(letter) }
        }
    }

    /// Looks for the letters that are selected, settles each, and removes its row. Letters that are not settled stay.
    private static func settle(
        _ settings: Settings, _ selection: Selection, _ what: String,
        _ settle: (DeadLetterQueue, DeadLetterQueue.Letter) throws -> Void
    ) throws {
        let queue = try DeadLetterQueue(try settings.broker())
        defer { queue.close() }
        var database = try Connection(try settings.database(as: .worker, name: "tenantry dead"))
        var wanted = Set(try DeadLetterRecord.ids(selection.filter, on: &database))
        let isNothing = wanted.isEmpty
        var settled = 0
        var refused = 0
        while !wanted.isEmpty, let letter = try queue.next() {
            guard let id = letter.id, wanted.remove(id) != nil else { continue }
            do {
                try settle(queue, letter)
                try DeadLetterRecord.remove([id], on: &database)
                settled += 1
            } catch let error as DeadLetterQueue.NotReplayed {
                writeError("\(error)\n")
                refused += 1
            }
        }
        print("\(settled) \(what)")
        if !wanted.isEmpty { writeError("\(wanted.count) were not in the queue: their rows go within a minute or two\n") }
        if refused > 0 || !wanted.isEmpty || isNothing && !selection.isEmpty { throw ExitCode(1) }
    }

    private static func printLetter(_ letter: DeadLetterQueue.Letter) {
        let properties = letter.delivery.properties
        print("job_id:        \(letter.jobID)")
        print("kind:          \(letter.kind)")
        print("error:         \(letter.code)\(letter.field.map { " at \"\($0)\"" } ?? "")")
        print("message:       \(letter.message)")
        print("attempts:      \(letter.attempts)")
        if let failedAt = letter.failedAt { print("failed_at:     \(failedAt)") }
        if let replyTo = properties.replyTo { print("reply_to:      \(replyTo)") }
        print("headers:")
        for (name, value) in properties.headers.entries { print("  \(name): \(text(value))") }
        print("payload (\(letter.delivery.bodyBytes) bytes):")
        print(letter.delivery.withBody { String(decoding: $0.prefix(64 << 10), as: UTF8.self) })
    }

    static func text(_ value: FieldValue) -> String {
        switch value {
        case .text(let text): text
        case .int(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .double(let number): "\(number)"
        case .number: value.integer.map { "\($0)" } ?? value.number.map { "\($0)" } ?? "\(value)"
        default: "\(value)"
        }
    }
}
