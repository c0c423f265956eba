internal import Contract
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Closes a connection on which no whole head of a request has come in time, counted from its opening or its last answer, however many bytes
/// trickle in; and one that its last answer ends.
final class ConnectionDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: OpenConnections
    private let times: ClientTimes
    private var id: UInt64?
    private var timer: Scheduled<Void>?
    /// Requests that have come and are not answered: a client may send the next one before it has the last answer.
    private var unanswered = 0
    private var head: HeadDeadline?
    /// How far the connection is on its way to its end, which an answer has announced.
    private var ending = Ending.none

    private enum Ending {
        case none, announced, answered
    }

    init(_ connections: OpenConnections, _ times: ClientTimes) {
        self.connections = connections
        self.times = times
    }

    func handlerAdded(context: ChannelHandlerContext) {
        id = connections.open(context.channel)
        // The server of health has none.
        head = try? context.pipeline.syncOperations.handler(type: HeadDeadline.self)
        closeLater(context, times.idle)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .answered = ending { return }
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            head?.owesAnswer = true
            head?.headCame()
            timer?.cancel()
            timer = nil
            if let id { connections.works(id) }
        case .body: break
        case .end: head?.requestCame()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Whoever does not read is not waited for.
        let written = promise ?? context.eventLoop.makePromise()
        let channel = context.channel
        let stall = context.eventLoop.scheduleTask(in: TimeAmount(seconds: times.write)) { channel.close(promise: nil) }
        written.futureResult.whenComplete { _ in stall.cancel() }
        switch unwrapOutboundIn(data) {
        case .head(let response):
            if response.headerFields[.connection]?.lowercased() == "close" { ending = .announced }
        case .body: break
        case .end: answered(context)
        }
        context.write(data, promise: written)
        if case .answered = ending { written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) } }
    }

    private func answered(_ context: ChannelHandlerContext) {
        guard id != nil else { return }
        if case .announced = ending {
            ending = .answered
            return closeLater(context, times.linger)
        }
        unanswered = max(0, unanswered - 1)
        guard unanswered == 0 else { return }
        head?.owesAnswer = false
        id = connections.waits(context.channel)
        closeLater(context, times.idle)
    }

    /// A head beyond what the decoder takes is answered here: nobody behind hears of it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .headerOverflow? = error as? HTTPParserError, unanswered == 0 else { return context.fireErrorCaught(error) }
        // The decoder says so of all that comes after it, too.
        if case .answered = ending { return }
        let problem = Problem.headersTooLarge
        let bytes = ByteBuffer(bytes: problem.json.serialised())
        var response = HTTPResponse(
            status: problem.status, headerFields: [.contentType: Problem.mediaType, .connection: "close"])
        response.headerFields[.contentLength] = "\(bytes.readableBytes)"
        for part in [HTTPResponsePart.head(response), .body(bytes), .end(nil)] {
            write(context: context, data: wrapOutboundOut(part), promise: nil)
        }
        context.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func closeLater(_ context: ChannelHandlerContext, _ seconds: Double) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: TimeAmount(seconds: seconds)) { channel.close(promise: nil) }
    }

    private func end() {
        timer?.cancel()
        timer = nil
        if let id { connections.close(id) }
        id = nil
    }
}
