internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// HTTP/1.1 on a connection that is bounded in time: a head within 10 s of its first byte, a next request within 60 s.
struct BoundedHTTP1Channel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let connections: OpenConnections

    /// From the first byte of a request to the end of its head.
    static let headSeconds: Int64 = 10
    /// From a connection's opening or its last answer to the next request's first byte.
    static let idleSeconds: Int64 = 60

    init(responder: @escaping HTTPChannelHandler.Responder, connections: OpenConnections) {
        self.connections = connections
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [HeadDeadline(connections, limit: .seconds(Self.idleSeconds))],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 256 << 10, maxHeaderListSize: 256 << 10, maxHeaderFieldCount: 1_000)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.pipeline.syncOperations.addHandler(FirstByteDeadline(seconds: Self.headSeconds), position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}

/// Ends a connection on which a request was begun whose head does not come in time, however its bytes trickle in. It answers 408 by itself, in
/// bytes: no request is known yet.
private final class FirstByteDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let seconds: Int64
    private var timer: Scheduled<Void>?
    /// The last bytes of what came, to see where a head ends.
    private var tail: [UInt8] = []
    private var isInHead = true

    init(seconds: Int64) {
        self.seconds = seconds
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isInHead { look(at: unwrapInboundIn(data), context) }
        context.fireChannelRead(data)
    }

    private func look(at bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        let text = tail + bytes.readableBytesView
        if text.contains([13, 10, 13, 10]) {
            isInHead = false
            tail = []
            timer?.cancel()
            timer = nil
            return
        }
        tail = Array(text.suffix(3))
        guard timer == nil else { return }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(seconds)) {
            let context = loopBound.value
            let text =
                "HTTP/1.1 408 Request Timeout\r\nContent-Type: \(Problem.mediaType)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            context.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer(string: text))), promise: nil)
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // An answer goes out, so the next bytes are those of another head.
        isInHead = true
        context.write(data, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}

extension [UInt8] {
    fileprivate func contains(_ pattern: [UInt8]) -> Bool {
        guard count >= pattern.count else { return false }
        return indices.dropLast(pattern.count - 1).contains { self[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
