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
        // Behind TLS, where there is any, and before everything of HTTP.
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(FirstByteDeadline(seconds: Self.headSeconds))
        }.flatMap { http.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}

/// Ends a connection on which a request was begun whose head does not come in time, however its bytes trickle in. It answers 408 by itself, in
/// bytes: no request is known yet. What is a head and what is not, ``HeadDeadline`` tells it.
final class FirstByteDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = IOData

    private let seconds: Int64
    private var timer: Scheduled<Void>?
    private var isBetweenRequests = true

    init(seconds: Int64) {
        self.seconds = seconds
    }

    /// A whole head has come.
    func headCame() {
        timer?.cancel()
        timer = nil
        isBetweenRequests = false
    }

    /// The request has come whole: what comes now is of the next one.
    func requestCame() { isBetweenRequests = true }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isBetweenRequests, timer == nil { startTimer(context) }
        context.fireChannelRead(data)
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(seconds)) {
            let context = bound.value
            let text =
                "HTTP/1.1 408 Request Timeout\r\nContent-Type: \(Problem.mediaType)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            context.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer(string: text))), promise: nil)
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
