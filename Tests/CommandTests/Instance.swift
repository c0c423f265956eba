internal import Foundation
internal import TestSupport
internal import Testing

/// A vhost and a database of its own with a `tenantry worker` process on them.
struct Instance: Sendable {
    let environment: [String: String]
    let httpPort: String
    var brokerURL: String { environment["TENANTRY_AMQP_URL"]! }
    var databaseURL: String { environment["TENANTRY_DATABASE_URL"]! }
    var operatorToken: String { environment["TENANTRY_OPERATOR_TOKEN"]! }

    /// They go away with the last copy of this: first the worker and the API, then what they live by.
    private nonisolated(unsafe) let programs: [Program]
    private let places: [any Sendable]

    /// One for all tests that do not disturb each other.
    static let shared = Task { try await Instance() }
    /// There, the credential of the account `acme` of the pages' examples, with its tenant `acme-shop`.
    static let acme = Task {
        let instance = try await shared.value
        let token = try await instance.makeAccount("acme")
        let shop = #"{"slug":"acme-shop","display_name":"Shop","billing_mode":"separate","stripe_account":"acct_1"}"#
        let opened = try await instance.ask("tenant.create", shop, token: token)
        guard opened["status"] as? String == "succeeded" else { throw TestFailure("\(opened)") }
        return token
    }

    /// - Parameter more: settings of its own.
    init(_ more: [String: String] = [:]) async throws {
        let fleet = try await TestFleet()
        places = [fleet.virtualHost, fleet.testDatabase]
        var environment = [
            "TENANTRY_AMQP_URL": fleet.brokerURL, "TENANTRY_DATABASE_URL": fleet.databaseURL,
            "TENANTRY_WORKER_DATABASE_URL": fleet.testDatabase.workerURL,
            "TENANTRY_READER_DATABASE_URL": fleet.testDatabase.readerURL,
            "TENANTRY_API_DATABASE_URL": fleet.testDatabase.apiURL,
            "TENANTRY_OPERATOR_TOKEN": fleet.operatorToken, "TENANTRY_WEBHOOKS_ALLOW_LOOPBACK": "true",
            // As short as the queues that the fleet's own topology has.
            "TENANTRY_RETRY_DELAYS_MS": "50,100,150,200",
        ].merging(more) { $1 }
        let worker = try Self.startWorker(environment)
        httpPort = try await Self.port(of: worker)
        let api = try Self.startAPI(environment)
        environment["TENANTRY_API_URL"] = "http://127.0.0.1:\(try await Self.apiPort(of: api))"
        self.environment = environment
        programs = [worker, api]
    }

    static func startAPI(_ environment: [String: String], port: Int = 0) throws -> Program {
        try Program(
            Program.tenantry, ["api", "--port", "\(port)", "--http-port", "0", "--until-input-ends"], input: nil,
            environment: environment)
    }

    static func startWorker(_ environment: [String: String], _ more: String...) throws -> Program {
        try Program(
            Program.tenantry, ["worker", "--http-port", "0", "--until-input-ends"] + more, input: nil, environment: environment)
    }

    /// The port that a worker's log names, once it is ready.
    static func port(of worker: Program) async throws -> String {
        for _ in 0..<600 {
            guard worker.isRunning else { throw TestFailure("the worker ended: \(worker.errors)") }
            if let port = worker.errors.firstMatch(of: /http\.port=(\d+)/).map({ String($0.1) }),
                try await get("http://127.0.0.1:\(port)/ready").status == 200
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("the worker did not get ready: \(worker.errors)")
    }

    /// The port that the API's log names.
    static func apiPort(of api: Program) async throws -> String {
        for _ in 0..<600 {
            guard api.isRunning else { throw TestFailure("the API ended: \(api.errors)") }
            if let port = api.errors.firstMatch(of: /http\.port=(\d+)/).map({ String($0.1) }) { return port }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("the API did not start: \(api.errors)")
    }

    static func get(_ url: String) async throws -> (status: Int, body: String) {
        let ended = try await Program("/usr/bin/env", ["curl", "-s", "-w", "\n%{http_code}", url]).end()
        let lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    func tenantry(_ arguments: String..., input: String = "", environment more: [String: String] = [:]) async throws -> Ended {
        try await Program(
            Program.tenantry, arguments, input: Data(input.utf8), environment: environment.merging(more) { _, new in new }
        ).end()
    }

    /// Sends one job and returns its answer, whatever it is.
    func ask(_ kind: String, _ payload: String, tenant: String? = nil, token: String? = nil, id: String? = nil) async throws
        -> [String: Any]
    {
        var arguments = ["enqueue", kind, "--wait"]
        if let tenant { arguments += ["--tenant", tenant] }
        if let token { arguments += ["--token", token] }
        if let id { arguments += ["--job-id", id] }
        let ended = try await Program(Program.tenantry, arguments, input: Data(payload.utf8), environment: environment).end()
        return try #require(try? ended.json() as? [String: Any], "\(ended)")
    }

    /// Makes an account; its credential.
    func makeAccount(_ slug: String, _ more: String = "") async throws -> String {
        let answer = try await ask(
            "account.create", #"{"slug":"\#(slug)","display_name":"\#(slug)","plan":"enterprise"\#(more)}"#)
        let result = try #require(answer["result"] as? [String: String], "\(answer)")
        return try #require(result["key"]) + "." + #require(result["secret"])
    }

    /// Rows as psql prints them: a line each, fields separated by `|`.
    func psql(_ sql: String) async throws -> [String] {
        let ended = try await Program(
            "/usr/bin/env", ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, databaseURL]
        ).end()
        #expect(ended.status == 0, "\(ended.errors)")
        return ended.output.split(separator: "\n").map { String($0) }
    }
}

/// A name that no other test uses.
func newSlug(_ prefix: String) -> String { "\(prefix)-\(UUID().uuidString.prefix(8).lowercased())" }

func log(_ ids: [String]) -> String { TestFleet.log(ids) }
