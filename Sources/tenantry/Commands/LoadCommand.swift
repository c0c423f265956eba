internal import ArgumentParser
internal import Contract
internal import Foundation
internal import TenantryClient

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Makes a backlog of conversation.log jobs, to measure a fleet with.",
        discussion: """
            Creates an account of its own (plan enterprise-plus) with tenants <prefix>-00000, <prefix>-00001, …, and sends jobs of one message
            of about 350 bytes to tenants drawn at random. The same --seed and --prefix give the same message ids.
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "How many jobs.")
    var jobs = 100_000
    @Option(help: "Over how many tenants.")
    var tenants = 1_000
    @Option(help: "The account's slug, and what the tenants' slugs begin with.")
    var prefix = "load"
    @Option(help: "Draws tenants and names messages.")
    var seed: UInt64 = 1
    @Option(help: "The account's credential, if the account is there already: printed by the first run.")
    var accountToken: String?

    func validate() throws {
        guard jobs > 0 else { throw ValidationError("--jobs must be above 0") }
        guard (1...100_000).contains(tenants) else { throw ValidationError("--tenants must be from 1 to 100000") }
        guard Slug.isValid(prefix), prefix.utf8.count <= 34 else {
            throw ValidationError("--prefix must be a slug of at most 34 characters")
        }
    }

    func run() async throws {
        try await run(with: try await Settings(server))
    }

    private func run(with settings: Settings) async throws {
        let broker = try settings.brokerURL()
        var token = accountToken
        if token == nil {
            token = try await makeAccount(broker, operatorToken: try settings.credential())
            printLine("account token: \(token ?? "")")
        }
        let client = try await JobClient.forCommand(brokerURL: broker, credential: token ?? "")
        try await makeTenants(client)
        var random = SplitMix(state: seed)
        var bar = ProgressBar("sending", total: jobs)
        let start = Date()
        let sentAt = RFC3339.text(Int64(start.timeIntervalSince1970 * 1_000) * 1_000)
        let requests = (0..<jobs).lazy.map { index in
            let tenant = slug(Int(random.next() % UInt64(tenants)))
            let body = Self.body(seed: seed, index: index, user: Int(random.next() % 1_000), sentAt: sentAt)
            return JobRequest(kind: "conversation.log", body: Array(body.utf8), tenant: tenant, id: "\(prefix)-\(seed)-\(index)")
        }
        try await client.handOver(requests) { bar.update($0) }
        bar.finish()
        let seconds = Date().timeIntervalSince(start)
        printLine("\(jobs) jobs over \(tenants) tenants sent in \(format(seconds)) s: \(Int(Double(jobs) / seconds)) jobs/s")
    }

    private func makeAccount(_ broker: String, operatorToken: String) async throws -> String {
        let client = try await JobClient.forCommand(brokerURL: broker, credential: operatorToken)
        let body = #"{"slug":"\#(prefix)","display_name":"Load","plan":"enterprise-plus"}"#
        var made: Answer?
        let request = JobRequest(kind: "account.create", body: Array(body.utf8), id: UUID().uuidString)
        _ = try await AnsweredJobs(client: client, seconds: 60).take([request]) { made = $1.answer }
        guard let answer = made else { throw Failure("no answer: is a worker running?") }
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw Failure("the account was not made: \(answer.error?.description ?? "no secret in the answer")")
        }
        return "\(key).\(secret)"
    }

    private func makeTenants(_ client: JobClient) async throws {
        let ranges = stride(from: 0, to: tenants, by: Self.tenantsPerJob).map { $0..<min($0 + Self.tenantsPerJob, tenants) }
        let requests = ranges.map { range in
            let items = range.map { #"{"slug":"\#(slug($0))","display_name":"Load \#($0)"}"# }.joined(separator: ",")
            let id = "load-tenants-\(prefix)-\(range.lowerBound)-\(range.upperBound)"
            return JobRequest(kind: "tenant.create_many", body: Array(#"{"tenants":[\#(items)]}"#.utf8), id: id)
        }
        var bar = ProgressBar("tenants", total: tenants)
        var done = 0
        let missing = try await AnsweredJobs(client: client, seconds: 120).take(requests) { _, received in
            let answer = received.answer
            if let error = answer.error { throw Failure("the tenants were not made: \(error)") }
            guard case .array(let outcomes)? = answer.result?["tenants"], !outcomes.isEmpty else {
                throw Failure("an answer does not tell what became of its tenants")
            }
            if let refused = outcomes.first(where: { $0["status"] == "rejected" }), let error = refused["error"] {
                throw Failure("tenant \((refused["tenant"] ?? .null).cell) was not made: \((error["message"] ?? .null).cell)")
            }
            done += outcomes.count
            bar.update(done)
        }
        guard missing == 0 else { throw Failure("no answer: is a worker running?") }
        bar.finish()
    }

    /// So few that the bar moves.
    private static let tenantsPerJob = 100

    private func slug(_ index: Int) -> String {
        let digits = String(index)
        return prefix + "-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private func format(_ seconds: Double) -> String { String((seconds * 100).rounded() / 100) }

    private static func body(seed: UInt64, index: Int, user: Int, sentAt: String) -> String {
        """
        {"conversation_id":"c-\(seed)-\(index / 10)","messages":[{"id":"m-\(seed)-\(index)","role":"user","user_id":"u-\(user)",\
        "content":"Hello, I would like to know when my order number \(index) will be delivered, and whether I can still change \
        the address for it. Thank you very much for your help.","sent_at":"\(sentAt)"}]}
        """
    }
}

/// A small generator with a seed, so that a load can be made again. Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
