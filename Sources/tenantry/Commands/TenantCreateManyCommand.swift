internal import ArgumentParser
internal import Contract
internal import TenantryClient

struct TenantCreateManyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-many", abstract: "Opens the tenants of a manifest, and says what became of each.",
        discussion: """
            The manifest is YAML: `tenants`, a list with the fields of tenant.create, and `defaults`, which hold where a tenant does not say \
            otherwise. With `count: 200`, an entry stands for 200 tenants; {n} in its slug and display_name is 1, 2, 3, …
            Run it again after an interruption or a change: what is there stays as it is, the rest is opened.
            It needs the account's credential. Exit code: 0 all are there, 1 some were rejected or nothing was sent.
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: ArgumentHelp("The manifest.", valueName: "file"))
    var manifest: String
    @OptionGroup var credential: CredentialOptions
    @Option(help: ArgumentHelp("Longest wait for the next answer.", valueName: "seconds"))
    var timeout = Seconds(600)

    func run() async throws {
        let settings = try await Settings(server)
        let manifest = try TenantManifest(file: manifest)
        let jobs = try ManifestJobs(manifest)
        let client = try await JobClient.forCommand(
            brokerURL: try settings.brokerURL(), credential: try settings.credential(credential))
        var outcomes = [JSONValue](repeating: .null, count: manifest.entries.count)
        var bar = ProgressBar("tenants", total: manifest.entries.count)
        // An answer that was given before tells what was true then: refusals may be mended since, and tenants purged.
        let stale = try await send(jobs.all, with: client, into: &outcomes, &bar)
        if !stale.isEmpty {
            var unseen = ProgressBar("tenants", total: nil)
            _ = try await send(jobs.anew(stale.sorted()), with: client, into: &outcomes, &unseen)
        }
        bar.finish()
        try report(manifest, outcomes)
    }

    /// Sends jobs and notes the outcome of each tenant.
    ///
    /// - Returns: the tenants whose outcome is that of an earlier run.
    private func send(
        _ jobs: [ManifestJobs.Job], with client: JobClient, into outcomes: inout [JSONValue], _ bar: inout ProgressBar
    ) async throws -> [Int] {
        let requests = jobs.map { JobRequest(kind: TenantCreateMany.kind.name, body: $0.body, id: $0.id) }
        var (done, stale) = (0, [Int]())
        let missing = try await AnsweredJobs(client: client, seconds: timeout.value).take(requests) { job, received in
            let (answer, indices) = (received.answer, jobs[job].indices)
            if let error = answer.error {
                throw Failure(
                    "the manifest was not taken: \(error.message)"
                        + (error.code == .forbidden ? "; pass the account's credential with --token-file or TENANTRY_TOKEN" : ""))
            }
            guard case .array(let found)? = answer.result?["tenants"], found.count == indices.count else {
                throw Failure("the answer to job \(answer.jobID) does not tell what became of its tenants")
            }
            for (index, outcome) in zip(indices, found) { outcomes[index] = outcome }
            if answer.duplicate { stale += indices }
            done += indices.count
            bar.update(done)
        }
        guard missing == 0 else {
            throw Failure(
                "no answer within \(Int(timeout.value)) seconds: is a worker running? The jobs stay queued; run the command again to see what became of them"
            )
        }
        return stale
    }

    private func report(_ manifest: TenantManifest, _ outcomes: [JSONValue]) throws {
        var table = Table(["tenant", "status", "schema", "code", "message", "field"])
        var counts: [String: Int] = [:]
        for (entry, outcome) in zip(manifest.entries, outcomes) {
            let error = outcome["error"]
            var field = error?["field"] ?? .null
            // The pointer into the job says nothing to whoever wrote the manifest; what is left of it is the key.
            if case .string(let pointer) = field {
                let keys = pointer.split(separator: "/").dropFirst(2).joined(separator: ".")
                field = keys.isEmpty ? .null : .string(keys)
            }
            table.append([
                .string(entry.slug), outcome["status"] ?? .null, outcome["schema"] ?? .null, error?["code"] ?? .null,
                error?["message"] ?? .null, field,
            ])
            if case .string(let status)? = outcome["status"] { counts[status, default: 0] += 1 }
        }
        table.print(output.format)
        let rejected = counts["rejected"] ?? 0
        writeError("\(counts["created"] ?? 0) created, \(counts["exists"] ?? 0) existing, \(rejected) rejected\n")
        if rejected > 0 { throw ExitCode(1) }
    }
}
