internal import NIOCore
internal import NIOHTTPTypes
internal import Synchronization

/// The connections of a server that are open. When there are too many, the one that has waited longest for its next request gives way: whoever
/// opens connections and says nothing is not to keep out those who ask.
final class OpenConnections: Sendable {
    private struct State {
        var nextID: UInt64 = 0
        /// By when they last had nothing to do, oldest first.
        var waiting: [UInt64: any Channel] = [:]
        var count = 0
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) {
        self.most = most
    }

    /// Notes a new connection, and closes the one that has waited longest if there is one too many.
    func open(_ channel: any Channel) -> UInt64 {
        let (id, oldest) = state.withLock { state -> (UInt64, (any Channel)?) in
            state.count += 1
            let id = state.nextID
            state.nextID += 1
            if state.count > most {
                // Where all are at work, it is the new one that goes.
                guard let first = state.waiting.keys.min() else { return (id, channel) }
                let oldest = state.waiting.removeValue(forKey: first)
                state.waiting[id] = channel
                return (id, oldest)
            }
            state.waiting[id] = channel
            return (id, nil)
        }
        oldest?.close(promise: nil)
        return id
    }

    /// The connection has a request to answer.
    func works(_ id: UInt64) {
        state.withLock { _ = $0.waiting.removeValue(forKey: id) }
    }

    /// The connection waits for its next request.
    ///
    /// - Returns: its name from now on.
    func waits(_ channel: any Channel) -> UInt64 {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.waiting[id] = channel
            return id
        }
    }

    func close(_ id: UInt64) {
        state.withLock { state in
            state.count -= 1
            state.waiting.removeValue(forKey: id)
        }
    }
}

/// Closes a connection on which no whole head of a request has come in time, counted from its opening or its last answer, however many bytes
/// trickle in.
final class HeadDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: OpenConnections
    private let limit: TimeAmount
    private var id: UInt64?
    private var timer: Scheduled<Void>?
    /// Requests that have come and are not answered: a client may send the next one before it has the last answer.
    private var unanswered = 0
    private var firstByte: FirstByteDeadline?

    /// How long a client may take to receive a piece of an answer.
    private static let writeSeconds: Int64 = 60

    init(_ connections: OpenConnections, limit: TimeAmount) {
        self.connections = connections
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        id = connections.open(context.channel)
        // The server of health has none.
        firstByte = try? context.pipeline.syncOperations.handler(type: FirstByteDeadline.self)
        startTimer(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            firstByte?.headCame()
            timer?.cancel()
            timer = nil
            if let id { connections.works(id) }
        case .body: break
        case .end: firstByte?.requestCame()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), id != nil {
            unanswered -= 1
            if unanswered <= 0 {
                unanswered = 0
                id = connections.waits(context.channel)
                startTimer(context)
            }
        }
        // Whoever does not read is not waited for.
        let written = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        let stall = context.eventLoop.scheduleTask(in: .seconds(Self.writeSeconds)) { channel.close(promise: nil) }
        written.futureResult.whenComplete { _ in stall.cancel() }
        context.write(data, promise: written)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func startTimer(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func end() {
        timer?.cancel()
        timer = nil
        if let id { connections.close(id) }
        id = nil
    }
}
