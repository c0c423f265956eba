internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import People
internal import ServiceLifecycle
internal import Synchronization

/// A page's live parts as server-sent events: a part is sent when it has changed.
enum LiveStream {
    /// Between two looks: short while something changes, longer while nothing does.
    private static let shortSeconds = 4.0
    private static let longSeconds = 16.0
    /// So long nothing is looked at while no job is done: what changes without jobs, and what only time changes, can wait.
    private static let mostRestSeconds = 60.0
    /// After so long the browser asks anew, and with it whether the session still holds.
    private static let mostSeconds = 600.0

    static func response(_ route: PageRoute, _ call: PageCall) throws -> Response {
        let streams = call.site.streams
        let session = call.visitor.session.key
        guard let id = streams.open(session) else { throw Refusal.tooMany(30) }
        @Sendable func mayGoOn() -> Bool { !Task.isShuttingDownGracefully && streams.isOpen(id, of: session) }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8"],
            body: ResponseBody { writer in
                defer { streams.close(id, of: session) }
                // A browser that goes away is an error of the writer's, which ends this.
                try await run(route, call, &writer, while: mayGoOn)
                try await writer.finish(nil)
            })
    }

    private static func run(
        _ route: PageRoute, _ call: PageCall, _ writer: inout any ResponseBodyWriter, while mayGoOn: () -> Bool
    ) async throws {
        let end = SystemClock.monotonicSeconds() + mostSeconds
        var known: [String: String] = [:]
        var pause = shortSeconds
        var seen: (activity: Int64?, at: Double)?
        try await writer.write(ByteBuffer(string: "retry: 5000\n\n"))
        while SystemClock.monotonicSeconds() < end, mayGoOn() {
            // An open page is no use of the session: left alone, it ends.
            guard try await call.site.isOpen(call.visitor.bearer) else { return }
            var isChanged = false
            let (activity, now) = (call.site.history.activity, SystemClock.monotonicSeconds())
            let isAtRest = seen.map { activity != nil && $0.activity == activity && now - $0.at < mostRestSeconds } ?? false
            // What cannot be shown just now is shown at the next look.
            if !isAtRest, case .page(let page, _)? = try? await route.show(call) {
                // A page that follows nothing is not made again and again.
                if page.live.isEmpty { return }
                seen = (activity, now)
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
            try await rest(pause, while: mayGoOn)
        }
    }
}

extension LiveStream {
    /// Waits, but not for long when it is to end.
    private static func rest(_ seconds: Double, while mayGoOn: () -> Bool) async throws {
        let end = SystemClock.monotonicSeconds() + seconds
        while mayGoOn(), case let left = end - SystemClock.monotonicSeconds(), left > 0 {
            try await Task.sleep(for: .seconds(min(left, 1)))
        }
    }
}

/// The streams that are open, each of which costs something all the time. A session has a few: one more ends its oldest, which most likely belongs to a
/// page that was left.
final class OpenStreams: Sendable {
    private static let mostOfSession = 12
    private static let most = 2_000

    private struct State {
        var next: UInt64 = 0
        /// By session, oldest first.
        var open: [String: [UInt64]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// - Returns: the stream's number; nil where there are too many of all sessions.
    func open(_ session: String) -> UInt64? {
        state.withLock { state in
            guard state.count < Self.most else { return nil }
            let id = state.next
            state.next += 1
            state.count += 1
            state.open[session, default: []].append(id)
            if state.open[session, default: []].count > Self.mostOfSession {
                state.open[session]?.removeFirst()
                state.count -= 1
            }
            return id
        }
    }

    /// Whether a stream may go on.
    func isOpen(_ id: UInt64, of session: String) -> Bool { state.withLock { $0.open[session]?.contains(id) == true } }

    func close(_ id: UInt64, of session: String) {
        state.withLock { state in
            guard let index = state.open[session]?.firstIndex(of: id) else { return }
            state.open[session]?.remove(at: index)
            if state.open[session]?.isEmpty == true { state.open[session] = nil }
            state.count -= 1
        }
    }
}
