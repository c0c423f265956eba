internal import Contract
internal import NIOCore

/// Ends a connection on which a request was begun whose head does not come in time, however its bytes trickle in. It answers 408 by itself, in
/// bytes: no request is known yet. What is a head and what is not, ``ConnectionDeadline`` tells it.
final class HeadDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = IOData

    private let times: ClientTimes
    private var timer: Scheduled<Void>?
    private var isBetweenRequests = true
    /// Whether 408 was answered: what comes now is dropped.
    private var isOver = false
    /// Whether an earlier request still waits for its answer, which comes first.
    var owesAnswer = false

    init(_ times: ClientTimes) {
        self.times = times
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
        if isOver { return }
        if isBetweenRequests, timer == nil { startTimer(context) }
        context.fireChannelRead(data)
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(seconds: times.head)) { [self] in
            if owesAnswer { startTimer(context) } else { end(context) }
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        isOver = true
        let problem = Problem.timeout("the request's head", times.head)
        let body = problem.json.serialised()
        var bytes = ByteBuffer(
            string: """
                HTTP/1.1 408 Request Timeout\r
                Content-Type: \(Problem.mediaType)\r
                Content-Length: \(body.count)\r
                Connection: close\r
                \r

                """)
        bytes.writeBytes(body)
        context.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        let channel = context.channel
        channel.close(mode: .output, promise: nil)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(seconds: times.linger)) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
