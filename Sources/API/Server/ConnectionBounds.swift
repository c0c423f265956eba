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
            var oldest: (any Channel)?
            if state.count > most, let first = state.waiting.keys.min() { oldest = state.waiting.removeValue(forKey: first) }
            state.waiting[id] = channel
            return (id, oldest)
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

    init(_ connections: OpenConnections, limit: TimeAmount) {
        self.connections = connections
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        id = connections.open(context.channel)
        startTimer(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            timer?.cancel()
            timer = nil
            if let id { connections.works(id) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), id != nil {
            id = connections.waits(context.channel)
            startTimer(context)
        }
        context.write(data, promise: promise)
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
