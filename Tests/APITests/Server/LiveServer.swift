import API
import Foundation
import FoundationNetworking
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// A health server on a free port for as long as `body` runs, shut down gracefully after it.
func withHealthServer<R: Sendable>(
    metrics: PrometheusMetrics = PrometheusMetrics(),
    logger: Logger = Logger(label: "health") { _ in SwiftLogNoOpLogHandler() },
    readiness: Readiness = Readiness(problems: [], details: [:]),
    _ body: @Sendable (_ port: Int) async throws -> R
) async throws -> R {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = HealthServer(
        port: 0, readiness: { readiness }, metrics: metrics, logger: logger, onListening: { continuation.yield($0) })
    let services = ServiceGroup(services: [server], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() })
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { continuation.finish() }
            try await services.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw URLError(.cannotConnectToHost)
        }
        let result = try await body(port)
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return result
    }
}

/// What came back over HTTP.
struct HTTPReply: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String

    /// Sends one request, over the connection the last one left open if there is one.
    static func to(_ path: String, port: Int, method: String = "GET") async throws -> HTTPReply {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)\(path)")!)
        request.httpMethod = method
        request.timeoutInterval = 10
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        return HTTPReply(status: response.statusCode, headers: headers, body: String(decoding: data, as: UTF8.self))
    }
}

/// A connection that says nothing.
struct IdleConnection: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let outcome = withUnsafeBytes(of: &address) { bytes in
            connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard outcome == 0 else { throw URLError(.cannotConnectToHost) }
    }

    func send(_ text: String) { _ = text.withCString { Glibc.send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) } }

    func close() { _ = Glibc.close(descriptor) }
}

/// Keeps what is logged.
final class LogBook: Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }

    func logger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "book") { _ in Handler(book: self) }
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let book: LogBook
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            book.lines.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}
