import API
import CoreMetrics
import Foundation
import Logging
import Testing

@Suite("A worker's HTTP side", .timeLimit(.minutes(1)))
struct HealthServerTests {
    @Test("On port 0 it takes a free port, says which, and answers the three paths there")
    func paths() async throws {
        let metrics = PrometheusMetrics()
        metrics.describe("tenantry_jobs_total", "Jobs settled.")
        Counter(label: "tenantry_jobs_total", dimensions: [("kind", "conversation.log")], factory: metrics).increment(by: 41)
        try await withHealthServer(metrics: metrics) { port in
            #expect((1...65_535).contains(port))
            let live = try await HTTPReply.to("/live", port: port)
            #expect(live.status == 200)
            #expect(live.body == #"{"live":true}"#)
            let ready = try await HTTPReply.to("/ready?verbose=1", port: port)
            #expect(ready.status == 200)
            #expect(ready.headers["content-type"] == "application/json")
            #expect(ready.body == #"{"details":{},"ready":true}"#)
            let shown = try await HTTPReply.to("/metrics", port: port)
            #expect(shown.status == 200)
            #expect(shown.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(shown.headers["cache-control"] == "no-store")
            let text = try Exposition(shown.body)
            #expect(text.value("tenantry_jobs_total", ["kind": "conversation.log"]) == 41)
        }
    }

    @Test("Not ready is 503 and says which lane waits for what, while it stays live")
    func notReady() async throws {
        let details = ["conversation-1": "waiting for broker", "usage-1": "running", "a \"b\"\n": "é/"]
        try await withHealthServer(readiness: Readiness(problems: ["lane a: stopped"], details: details)) { port in
            let reply = try await HTTPReply.to("/ready", port: port)
            #expect(reply.status == 503)
            let body = try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
            #expect(body["ready"] as? Bool == false)
            #expect(body["details"] as? [String: String] == details)
            #expect(try await HTTPReply.to("/live", port: port).status == 200)
        }
    }

    @Test("HEAD has the head of GET and no body")
    func head() async throws {
        try await withHealthServer(readiness: Readiness(problems: ["lane a: stopped"], details: [:])) { port in
            for path in ["/live", "/ready", "/nowhere"] {
                let head = try await HTTPReply.to(path, port: port, method: "HEAD")
                let get = try await HTTPReply.to(path, port: port)
                #expect(head.status == get.status)
                #expect(head.headers["content-length"] == "\(get.body.utf8.count)")
                #expect(head.headers["content-type"] == get.headers["content-type"])
                #expect(head.body.isEmpty)
            }
            #expect(try await HTTPReply.to("/metrics", port: port, method: "HEAD").status == 200)
        }
    }

    @Test("An unknown path is 404, a method that would change something 405, both in JSON")
    func refusals() async throws {
        try await withHealthServer { port in
            for path in ["/", "/nowhere", "/live/", "/metrics/x", "/%2e%2e/ready"] {
                let reply = try await HTTPReply.to(path, port: port)
                #expect(reply.status == 404, "\(path)")
                #expect(reply.headers["content-type"] == "application/json")
                #expect(reply.body == #"{"error":"not_found","paths":["/live","/metrics","/ready"]}"#)
            }
            let post = try await HTTPReply.to("/ready", port: port, method: "POST")
            #expect(post.status == 405)
            #expect(post.headers["allow"] == "GET, HEAD")
            #expect(post.body.contains("method_not_allowed"))
            #expect(try await HTTPReply.to("/nowhere", port: port, method: "DELETE").status == 404)
        }
    }

    @Test("Whoever opens hundreds of connections and says nothing, or never ends a head, keeps nobody out")
    func halfOpen() async throws {
        try await withHealthServer { port in
            let silent = try (0..<300).map { number in
                let connection = try IdleConnection(port: port)
                if number.isMultiple(of: 2) { connection.send("GET /live HTTP/1.1\r\nHost: a\r\n") }
                return connection
            }
            for _ in 0..<20 { #expect(try await HTTPReply.to("/live", port: port).status == 200) }
            for connection in silent { connection.close() }
        }
    }

    @Test("Forty scrapes at once are all answered in full")
    func load() async throws {
        let metrics = PrometheusMetrics()
        for number in 0..<40 {
            Recorder(label: "job_seconds", dimensions: [("kind", "k\(number)")], factory: metrics).record(0.1)
        }
        try await withHealthServer(metrics: metrics) { port in
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try Exposition(await HTTPReply.to("/metrics", port: port).body)["job_seconds"]?.samples.count
                    }
                }
                for try await samples in group { #expect(samples == 40 * 21) }
            }
        }
    }

    @Test("A port that is taken, or none at all, is an error that names it")
    func portTaken() async throws {
        let quiet = Logger(label: "health") { _ in SwiftLogNoOpLogHandler() }
        @Sendable func server(port: Int) -> HealthServer {
            HealthServer(
                port: port, readiness: { Readiness(problems: [], details: [:]) }, metrics: PrometheusMetrics(), logger: quiet)
        }
        try await withHealthServer { port in
            let error = await #expect(throws: HealthServerError.self) { try await server(port: port).run() }
            #expect(error?.port == port)
            #expect(error?.description.contains("127.0.0.1:\(port)") == true)
            #expect(error?.message.contains("in use") == true)
        }
        for port in [-1, 65_536] {
            await #expect(throws: HealthServerError.self) { try await server(port: port).run() }
        }
    }

    @Test("Requests and shutdown leave nothing in the log at info")
    func quiet() async throws {
        let book = LogBook()
        try await withHealthServer(logger: book.logger(level: .info)) { port in
            let live = try await HTTPReply.to("/live", port: port)
            let nowhere = try await HTTPReply.to("/nowhere", port: port)
            #expect(live.status == 200)
            #expect(nowhere.status == 404)
        }
        #expect(book.messages == [])
    }

    @Test("Connections left open, used or not, delay no shutdown")
    func shutdown() async throws {
        let clock = ContinuousClock()
        let (unused, answered) = try await withHealthServer { port in
            let unused = try IdleConnection(port: port)
            _ = try await HTTPReply.to("/live", port: port)
            return (unused, clock.now)
        }
        // Left alone, it would stay open for two minutes.
        #expect(answered.duration(to: clock.now) < .seconds(60))
        unused.close()
    }
}
