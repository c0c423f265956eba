internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// HTTP/1.1 on a connection that is bounded in time: a head in time from its first byte, and a next request in time.
struct BoundedHTTP1Channel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http: HTTP1Channel
    private let times: ClientTimes

    init(responder: @escaping HTTPChannelHandler.Responder, connections: OpenConnections, times: ClientTimes) {
        self.times = times
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ConnectionDeadline(connections, times)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 256 << 10, maxHeaderListSize: 256 << 10, maxHeaderFieldCount: 1_000)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // Behind TLS, where there is any, and before everything of HTTP.
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(HeadDeadline(times))
        }.flatMap { http.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}

extension TimeAmount {
    init(seconds: Double) { self = .nanoseconds(Int64(seconds * 1_000_000_000)) }
}
