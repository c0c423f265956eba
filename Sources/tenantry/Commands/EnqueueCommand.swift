internal import ArgumentParser
internal import Contract
internal import FoundationEssentials
internal import Glibc
internal import TenantryClient

struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Sends jobs to the fleet.",
        discussion: """
            The payload is JSON, from --payload or standard input; with --lines there is one payload a line. Kinds:
            \(Kind.all.map { "  \($0.name)\($0.needsTenant ? " (needs --tenant)" : ""): \($0.summary)" }.joined(separator: "\n"))
            Exit code: 0 sent (and with --wait succeeded), 1 rejected or not sent, 64 a mistake in the call.
            """)

    @Argument(help: "The job's kind, such as tenant.create.")
    var kind: String

    @OptionGroup var server: ServerOptions

    @Option(help: ArgumentHelp("The payload's file; - or nothing is standard input.", valueName: "file"))
    var payload: String?

    @Option(help: ArgumentHelp("The tenant that the job works on.", valueName: "slug"))
    var tenant: String?

    @Option(
        name: .customLong("job-id"),
        help: ArgumentHelp(
            "The job's id (default: a new one); with --lines, what the line's number is added to.", valueName: "id"))
    var jobID: String?

    @Option(
        name: .customLong("if-match"),
        help: ArgumentHelp(
            "Only if what the job changes has one of these entity tags: in quotes, separated by commas, or * for whatever is there.",
            valueName: "tags"))
    var ifMatch: String?

    @OptionGroup var credential: CredentialOptions

    @Flag(help: "Wait for the answer and print it as JSON; exit code 1 if a job was rejected.")
    var wait = false

    @Flag(help: "One payload a line.")
    var lines = false

    @Option(help: ArgumentHelp("Longest wait for the next answer.", valueName: "seconds"))
    var timeout = Seconds(120)

    func validate() throws {
        guard jobID.map({ (1...128).contains($0.count) }) ?? true else {
            throw ValidationError("--job-id must have 1 to 128 characters")
        }
        guard ifMatch.map({ Precondition($0) != nil }) ?? true else {
            throw ValidationError("--if-match must be *, or entity tags in quotes, separated by commas")
        }
    }

    func run() async throws {
        let settings = try await Settings(server)
        let (brokerURL, secret) = (try settings.brokerURL(), try settings.credential(credential))
        let bodies = try readBodies()
        let client = try await JobClient.forCommand(brokerURL: brokerURL, credential: secret)
        let requests = bodies.enumerated().map { index, body in
            var request = JobRequest(kind: kind, body: body, tenant: tenant, id: id(index))
            request.ifMatch = ifMatch
            return request
        }
        var bar = ProgressBar(wait ? "answers" : "sending", total: bodies.count)
        defer { if lines { bar.finish() } }
        guard wait else {
            try await client.handOver(requests) { if lines { bar.update($0) } }
            return writeError("\(bodies.count) sent\n")
        }
        var (answered, rejected) = (0, 0)
        let missing = try await AnsweredJobs(client: client, seconds: timeout.value).take(requests) { _, received in
            answered += 1
            if received.answer.status == .rejected { rejected += 1 }
            printLine(String(decoding: received.body, as: UTF8.self))
            if lines { bar.update(answered) }
        }
        guard missing == 0 else {
            throw Failure(
                "no answer within \(Int(timeout.value)) seconds: \(missing) of \(bodies.count) are still out; the jobs stay queued"
            )
        }
        if rejected > 0 { throw ExitCode(1) }
    }

    private func id(_ index: Int) -> String {
        guard let jobID else { return UUID().uuidString.lowercased() }
        return lines ? "\(jobID)-\(index + 1)" : jobID
    }

    private func readBodies() throws -> [[UInt8]] {
        let bytes: [UInt8]
        if let payload, payload != "-" {
            guard let data = FileManager.default.contents(atPath: payload) else {
                throw Failure("\(payload) cannot be read: \(access(payload, R_OK) == 0 ? "it is no file" : systemError())")
            }
            bytes = Array(data)
        } else {
            bytes = Self.readStandardInput()
        }
        guard lines else {
            guard !bytes.isEmpty else { throw Failure("the payload is empty: pass --payload FILE, or JSON on standard input") }
            return [bytes]
        }
        return bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }.filter { line in line.contains { $0 > 0x20 } }
    }

    private static func readStandardInput() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
