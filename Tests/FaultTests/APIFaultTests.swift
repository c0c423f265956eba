internal import Contract
internal import Embedded
internal import Foundation
internal import FoundationNetworking
internal import Glibc
internal import Synchronization
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What the HTTP API answers while a server is away, and what becomes of what it has answered.
    @Suite("The HTTP API", .serialized)
    struct API {
        @Test("With the broker away, writes are 503 and reads go on; then writes go on, and none is lost that was answered")
        func brokerAway() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                try await withTraffic(on: stage) { traffic in
                    try await traffic.await("writes go through") { $0.filter { $0.status == 201 }.count >= 3 }
                    try await node.stop()
                    try await traffic.await("writes are refused") { $0.filter { $0.status == 503 }.count >= 2 }
                    let read = try await traffic.send("GET", "/v1/tenants/shop/conversations")
                    #expect(read.status == 200)
                    _ = try await node.start()
                    try await traffic.awaitSuccess()
                    try stage.reconnectBroker()
                }
            }
        }

        @Test("With the database away, everything is 503; then all goes on, and no write is lost that was answered")
        func databaseAway() async throws {
            try await withCluster { cluster, url in
                let stage = try await Stage(database: url)
                try await withTraffic(on: stage) { traffic in
                    try await traffic.await("writes go through") { $0.filter { $0.status == 201 }.count >= 3 }
                    Glibc.kill(try #require(cluster.pid), SIGQUIT)
                    try await eventually("PostgreSQL ends") { !cluster.isRunning }
                    try await cluster.stop()
                    try await traffic.await("writes are refused") { $0.filter { $0.status == 503 }.count >= 2 }
                    for path in ["/v1/me", "/v1/tenants", "/v1/tenants/shop/conversations"] {
                        let read = try await traffic.send("GET", path)
                        #expect(read.status == 503 && read.retryAfter != nil, "\(path): \(read)")
                    }
                    try await startPatiently(cluster)
                    try await traffic.awaitSuccess()
                    try await eventually("reads go on") {
                        try await traffic.send("GET", "/v1/tenants/shop/conversations").status == 200
                    }
                    try stage.reconnectDatabase()
                }
            }
        }

        /// An account with a tenant, to whose conversation somebody writes over and over until the body has ended; then all that was answered
        /// with success must be there, once.
        private func withTraffic(on stage: Stage, _ body: (HTTPTraffic) async throws -> Void) async throws {
            let worker = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            let port = try Loopback.freePorts(1)[0]
            let api = try WorkerProcess(
                command: "api", broker: stage.brokerURL, database: stage.databaseURL,
                [
                    "TENANTRY_API_DATABASE_URL": TestDatabase.apiURL(of: stage.databaseURL),
                    "TENANTRY_API_PORT": "\(port)",
                ])
            let traffic = HTTPTraffic(origin: "http://127.0.0.1:\(port)", token: token)
            try await eventually("the API is there") { (try? await traffic.send("GET", "/v1/me").status) == 200 }
            let writing = Task { try await traffic.write() }
            do {
                try await body(traffic)
                writing.cancel()
                _ = await writing.result
                let answered = traffic.answers.filter { (200...299).contains($0.status) }.map(\.id)
                let refused = traffic.answers.filter { $0.status == 503 }
                #expect(refused.allSatisfy { $0.retryAfter != nil })
                // Some were answered before they were done: those are on their way.
                try await eventually("what was answered with success is there") {
                    try Set(stage.table("select id from tenant_shop.messages").map { $0[0] }).isSuperset(of: answered)
                }
            } catch {
                writing.cancel()
                throw TestFailure("\(error)\n\(api.log.suffix(2_000))")
            }
            try #expect(await api.terminate(within: 60) == .exit(0))
            try #expect(await worker.terminate(within: 60) == .exit(0))
            try #expect(stage.number("select count(*) - count(distinct id) from tenant_shop.messages") == 0)
        }
    }
}

/// Requests to an API, one write after the other among them.
private final class HTTPTraffic: Sendable {
    struct Response {
        let id: String
        let status: Int
        let retryAfter: String?
    }

    private let origin: String
    private let token: String
    private let written = Mutex<[Response]>([])

    init(origin: String, token: String) {
        self.origin = origin
        self.token = token
    }

    var answers: [Response] { written.withLock { $0 } }

    func send(_ method: String, _ path: String, _ body: String? = nil, id: String = "") async throws -> Response {
        guard let url = URL(string: origin + path) else { throw TestFailure("\(path) is no path") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.timeoutInterval = 60
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        if let body {
            request.httpBody = Data(body.utf8)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.setValue(id, forHTTPHeaderField: "Idempotency-Key")
            request.setValue("wait=2", forHTTPHeaderField: "Prefer")
        }
        guard let answer = try await URLSession.shared.data(for: request).1 as? HTTPURLResponse else {
            throw TestFailure("\(path) was not answered")
        }
        return Response(id: id, status: answer.statusCode, retryAfter: answer.value(forHTTPHeaderField: "Retry-After"))
    }

    /// Logs one message after the other, until the task is cancelled.
    func write() async throws {
        for number in 0... {
            let id = "m\(number)"
            let answer = try await send("POST", "/v1/tenants/shop/conversations", TestFleet.log([id]), id: id)
            written.withLock { $0.append(answer) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func await(_ what: String, _ condition: ([Response]) -> Bool) async throws {
        try await eventually(what) { condition(answers) }
    }

    /// Waits until writes go through again.
    func awaitSuccess() async throws {
        let before = answers.count
        try await self.await("writes go on") { $0.dropFirst(before).filter { $0.status == 201 }.count >= 3 }
    }
}
