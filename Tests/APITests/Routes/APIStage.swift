internal import AsyncHTTPClient
internal import Contract
internal import Fleet
internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Postgres
internal import ServiceLifecycle
internal import TenantryClient
internal import TestSupport

@testable internal import API
@testable internal import Console

/// A fleet with a worker, and the HTTP API before it, all in this process.
final class APIStage {
    let fleet: TestFleet
    let origin: String
    let port: Int
    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    private let pools: [DatabasePool]

    /// What came back.
    struct Response {
        let status: Int
        let headers: HTTPHeaders
        let body: String

        /// The body as JSON; null where it is none.
        var json: JSONValue { (try? JSONValue(parsing: Array(body.utf8))) ?? .null }
        var code: String? { json["code"]?.text }

        subscript(_ header: String) -> String? { headers.first(name: header) }
    }

    /// - Parameters:
    ///   - console: nil: there is none.
    init(
        startsWorker: Bool = true, _ options: APIOptions = .adjusted(), console: ConsoleOptions? = nil,
        platform: any Platform = NoPlatform()
    ) async throws {
        fleet = try await TestFleet()
        if startsWorker { try fleet.startWorker() }
        var logger = Logger(label: "api", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let database = ConnectionOptions(url: fleet.testDatabase.apiURL)
        pools = [DatabasePool(database, size: 2), DatabasePool(database, size: 1)]
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: "")
        let api = Services(
            database: pools[0], signIns: pools[1], client: client, options: options, platform: platform, logger: logger)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server: APIServer
        if let console {
            server = APIServer(api, pages: ConsoleServer(LocalAPI(api), console)) { port.yield($0) }
        } else {
            server = APIServer(api) { port.yield($0) }
        }
        let services = ServiceGroup(services: [client, server], logger: logger)
        self.services = services
        running = Task {
            defer { port.finish() }
            try await services.run()
        }
        guard let bound = await ports.first(where: { _ in true }) else {
            _ = try await running.value
            throw TestFailure("the API did not start")
        }
        self.port = bound
        origin = "\(options.certificateFile == nil ? "http" : "https")://127.0.0.1:\(bound)"
    }

    func stop() async {
        await services.triggerGracefulShutdown()
        _ = await running.result
        for pool in pools { pool.close() }
        await fleet.stop()
    }

    /// Sends a request.
    ///
    /// - Parameter path: percent-encoded, with its query.
    func ask(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil, token: String? = nil, headers: [String: String] = [:]
    ) async throws -> Response {
        try await ask(method, path, bytes: body.map { Array($0.utf8) }, token: token, headers: headers)
    }

    func ask(
        _ method: HTTPMethod, _ path: String, bytes: [UInt8]?, token: String? = nil, headers: [String: String] = [:]
    ) async throws -> Response {
        var request = HTTPClientRequest(url: origin + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let bytes {
            request.body = .bytes(bytes)
            if !request.headers.contains(name: "Content-Type") {
                request.headers.add(name: "Content-Type", value: "application/json")
            }
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let buffer = try await response.body.collect(upTo: 64 << 20)
        return Response(status: Int(response.status.code), headers: response.headers, body: String(buffer: buffer))
    }

    /// An account, made by the operator over HTTP.
    ///
    /// - Returns: its credential.
    func makeAccount(_ slug: String, plan: String = "enterprise-plus") async throws -> String {
        let made = try await ask(
            .POST, "/v1/accounts", #"{"slug":"\#(slug)","display_name":"\#(slug)","plan":"\#(plan)"}"#, token: fleet.operatorToken
        )
        guard made.status == 201, let key = made.json["key"]?.text, let secret = made.json["secret"]?.text else {
            throw TestFailure("account \(slug): \(made.status) \(made.body)")
        }
        return "\(key).\(secret)"
    }

    func makeTenant(_ slug: String, token: String) async throws {
        let made = try await ask(.POST, "/v1/tenants", #"{"slug":"\#(slug)","display_name":"\#(slug)"}"#, token: token)
        guard made.status == 201 else { throw TestFailure("tenant \(slug): \(made.status) \(made.body)") }
    }

    /// A token with these scopes, of a tenant or (nil) of the account.
    func makeToken(_ scopes: [String], tenant: String?, token: String) async throws -> String {
        let path = tenant.map { "/v1/tenants/\($0)/tokens" } ?? "/v1/tokens"
        let list = scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let made = try await ask(.POST, path, #"{"name":"bot","scopes":[\#(list)]}"#, token: token)
        guard made.status == 201, let key = made.json["key"]?.text, let secret = made.json["secret"]?.text else {
            throw TestFailure("token: \(made.status) \(made.body)")
        }
        return "\(key).\(secret)"
    }
}

/// What these tests do not look at: it takes a process of its own.
struct NoPlatform: Platform {
    func queues() async throws -> [QueueReading] { [QueueReading(name: "tenantry.account", messages: 0, consumers: 1)] }
    func letter(_ id: String) async throws -> LetterContent? { nil }
    func settle(_ ids: [String], _ deed: LetterDeed) async throws -> LetterOutcome { throw BrokerAway(reason: "none here") }
}

/// A stage for as long as `body` runs.
func withAPI(
    startsWorker: Bool = true, options: APIOptions = .adjusted(), console: ConsoleOptions? = nil,
    platform: any Platform = NoPlatform(), _ body: (APIStage) async throws -> Void
) async throws {
    let stage = try await APIStage(startsWorker: startsWorker, options, console: console, platform: platform)
    do {
        try await body(stage)
    } catch {
        await stage.stop()
        throw error
    }
    await stage.stop()
}

extension APIOptions {
    /// With as many requests as a test likes, and changes of its own.
    static func adjusted(_ change: (inout APIOptions) -> Void = { _ in }) -> APIOptions {
        var options = APIOptions()
        options.requestsPerMinute = 1_000_000
        change(&options)
        return options
    }
}
