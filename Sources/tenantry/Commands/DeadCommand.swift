internal import AMQP
internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "The dead-letter queue: jobs that were given up, and why.",
        subcommands: [List.self, Show.self, Replay.self, Discard.self])

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

        var isEmpty: Bool { ids.isEmpty && kind == nil && code == nil && tenant == nil }

        func includes(_ letter: DeadLetterQueue.Letter) -> Bool {
            (ids.isEmpty || ids.contains(letter.jobID)) && (kind == nil || kind == letter.kind)
                && (code == nil || code == letter.code)
                && (tenant == nil || tenant == letter.tenant)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists dead letters, oldest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var selection: Selection
        @Option(help: "The most letters to look at.")
        var limit = Count(1_000)

        func run() async throws {
            var table = Table(["job_id", "kind", "tenant", "code", "field", "message", "attempts", "failed_at"])
            try visit(try await Settings(server), limit: limit.value) { _, letter in
                guard selection.includes(letter) else { return }
                table.append([
                    .text(letter.jobID), .text(letter.kind), .text(letter.tenant), .text(letter.code), .text(letter.field),
                    .text(letter.message), .int(letter.attempts), .text(letter.failedAt),
                ])
            }
            table.print(output.format)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Shows a dead letter whole: properties, headers, payload. The credential's secret and a password are masked.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id.")
        var id: String

        func run() async throws {
            var found = false
            try visit(try await Settings(server)) { _, letter in
                guard letter.jobID == id else { return }
                found = true
                printLetter(letter)
            }
            guard found else { throw Failure("no dead letter has the job id \(id)") }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends dead jobs again, as they first came; a job whose cause is mended runs.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var selection: Selection
        @Flag(help: "All of them.")
        var all = false

        func validate() throws {
            guard all || !selection.isEmpty else {
                throw ValidationError("name job ids, --kind, --code or --tenant, or say --all")
            }
        }

        func run() async throws {
            try settle(try await Settings(server), selection, "replayed") { queue, letter in try queue.replay(letter) }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes dead letters for good.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var selection: Selection
        @Flag(help: "All of them.")
        var all = false

        func validate() throws {
            guard all || !selection.isEmpty else {
                throw ValidationError("name job ids, --kind, --code or --tenant, or say --all")
            }
        }

        func run() async throws {
            try settle(try await Settings(server), selection, "discarded") { queue, letter in try queue.discard(letter) }
        }
    }

    /// Looks at each letter that lies there now; what the visitor does not settle goes back.
    private static func visit(
        _ settings: Settings, limit: Int = .max, _ visitor: (DeadLetterQueue, DeadLetterQueue.Letter) throws -> Void
    ) throws {
        let queue = try DeadLetterQueue(try settings.broker())
        defer { queue.close() }
        for _ in 0..<min(limit, try queue.count()) {
            guard let letter = try queue.next() else { return }
            try visitor(queue, letter)
        }
    }

    private static func settle(
        _ settings: Settings, _ selection: Selection, _ what: String,
        _ settle: (DeadLetterQueue, DeadLetterQueue.Letter) throws -> Void
    ) throws {
        var settled = 0
        try visit(settings) { queue, letter in
            guard selection.includes(letter) else { return }
            try settle(queue, letter)
            settled += 1
        }
        print("\(settled) \(what)")
        if settled == 0, !selection.isEmpty { throw ExitCode(1) }
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
        for (name, value) in properties.headers.entries { print("  \(name): \(masked(name, value))") }
        print("payload (\(letter.delivery.bodyBytes) bytes):")
        print(String(payload(letter.delivery.body).prefix(64 << 10)))
    }

    /// As it came, but for a password.
    private static func payload(_ body: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: body, as: UTF8.self)
        guard case .object(var fields)? = try? JSONValue(parsing: Array(body)) else {
            // What cannot be read cannot be masked.
            return text.contains("password") ? "(not shown: it is no JSON object, and may hold a password)" : text
        }
        guard fields["password"] != nil else { return text }
        fields["password"] = "…"
        return String(decoding: JSONValue.object(fields).serialised(), as: UTF8.self)
    }

    private static func masked(_ name: String, _ value: FieldValue) -> String {
        let isCredential = name.lowercased() == Header.authorization.name
        switch value {
        case .text(let text) where isCredential:
            // What stands before the dot is the key; without a dot all of it may be the secret.
            return text.firstIndex(of: ".").map { "\(text[..<$0]).…" } ?? "…"
        case .text(let text): return text
        case _ where isCredential: return "…"
        case .int(let number): return "\(number)"
        case .bool(let flag): return "\(flag)"
        case .double(let number): return "\(number)"
        default: return "\(value)"
        }
    }
}
