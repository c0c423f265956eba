internal import HTML
internal import People
internal import API
internal import Contract
internal import Hummingbird
internal import HTTPTypes
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// A page's live parts as server-sent events: a part is sent when it has changed.
enum LiveStream {
    /// Between two looks: short while something changes, longer while nothing does.
    private static let shortSeconds = 4.0
    private static let longSeconds = 16.0
    /// After so long the browser asks anew, and with it whether the session still holds.
    private static let mostSeconds = 600.0

    static func response(_ route: PageRoute, _ call: PageCall) throws -> Response {
        let streams = call.site.streams
        guard streams.open(call.visitor.session.key) else { throw Refusal.tooMany(30) }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8"],
            body: ResponseBody { writer in
                defer { streams.close(call.visitor.session.key) }
                // A browser that goes away is an error of the writer's, which ends this.
                try await run(route, call, &writer)
                try await writer.finish(nil)
            })
    }

    private static func run(_ route: PageRoute, _ call: PageCall, _ writer: inout any ResponseBodyWriter) async throws {
        let end = SystemClock.monotonicSeconds() + mostSeconds
        var known: [String: String] = [:]
        var pause = shortSeconds
        try await writer.write(ByteBuffer(string: "retry: 5000\n\n"))
        while SystemClock.monotonicSeconds() < end, !Task.isShuttingDownGracefully {
            // An open page is no use of the session: left alone, it ends.
            guard try await call.site.isOpen(call.visitor.bearer) else { return }
            var isChanged = false
            if case .page(let page, _)? = try? await route.show(call) {
                for (id, html) in page.live where known[id] != html.markup {
                    let event: JSONValue = ["id": .string(id), "html": .string(html.markup)]
                    try await writer.write(ByteBuffer(string: "data: \(String(decoding: event.serialised(), as: UTF8.self))\n\n"))
                    isChanged = known[id] != nil
                    known[id] = html.markup
                }
            }
            // A comment shows whether the other end is still there.
            if !isChanged { try await writer.write(ByteBuffer(string: ":\n\n")) }
            pause = isChanged ? shortSeconds : min(pause * 1.5, longSeconds)
            try await rest(pause)
        }
    }
}

extension LiveStream {
    /// Waits, but not for long when the server is to end.
    private static func rest(_ seconds: Double) async throws {
        let end = SystemClock.monotonicSeconds() + seconds
        while !Task.isShuttingDownGracefully, case let left = end - SystemClock.monotonicSeconds(), left > 0 {
            try await Task.sleep(for: .seconds(min(left, 1)))
        }
    }
}

/// How many streams are open, each of which costs something all the time.
final class StreamCount: Sendable {
    private static let mostOfSession = 12
    private static let most = 1_000

    private let open = Mutex<[String: Int]>([:])

    /// - Returns: false if there are too many.
    func open(_ session: String) -> Bool {
        open.withLock { open in
            guard open[session, default: 0] < Self.mostOfSession, open.values.reduce(0, +) < Self.most else { return false }
            open[session, default: 0] += 1
            return true
        }
    }

    func close(_ session: String) {
        open.withLock { open in
            guard let count = open[session] else { return }
            open[session] = count > 1 ? count - 1 : nil
        }
    }
}
