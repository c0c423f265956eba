internal import CLibRabbitMQ

/// An AMQP 0-9-1 connection with one channel, over librabbitmq.
///
/// Synchronous and owned by one thread. Heartbeats are sent and checked inside its calls, so an idle owner must call
/// ``receive(timeoutMilliseconds:)`` (0 will do) a few times per heartbeat interval.
/// Before polling ``descriptor``, receive until ``hasBufferedInput`` is false.
///
/// After an error with ``AMQPError/isConnectionLoss`` the socket is closed, and every call throws. After a `channel` error,
/// ``reopenChannel()`` makes it usable again.
public struct Connection: ~Copyable {
    /// The channel for everything; a second one serves `inspectQueue`, so that a 404 does not cost the first.
    static let mainChannel: amqp_channel_t = 1
    static let probeChannel: amqp_channel_t = 2
    /// How long an answer to a method may take before the connection is given up.
    static let replyTimeoutSeconds = 30.0
    /// The largest frame that is taken from the broker, whatever was agreed on for what we send. A sender's headers have at most the
    /// broker's `frame_max`, by default 131,072 bytes; each queue that a message was dead-lettered from may add as much (`x-death`
    /// repeats the keys of the header `CC`).
    static let largestFrameBytes = 1 << 20

    var state: OpaquePointer?
    var scratch = ScratchArena()
    var assembler = ContentAssembler()
    var pending = EventQueue()
    var ledger = ConfirmLedger()
    var confirmsEnabled = false
    var publishesSinceDrain = 0
    var prefetchCount: Int?
    /// The largest frame that the broker takes from us.
    var frameMaxBytes: Int
    var isProbeChannelOpen = false
    /// Why the main channel is not open, if it is not.
    var channelClosure: AMQPError?

    /// True while the broker refuses publishes (`connection.blocked`), for want of memory or disk.
    public internal(set) var isBlocked = false

    /// Connects, logs in and opens the channel.
    ///
    /// - Parameters:
    ///   - name: what the broker shows as the connection's name (`connection_name`).
    ///   - heartbeatSeconds: the most to ask for; the broker may lower it. The URL's own `heartbeat` has precedence. 0 turns it off.
    ///   - frameMaxBytes: the largest frame to agree on for what is sent; headers must fit into one frame.
    /// - Throws: kind `connection` if the broker cannot be reached or refuses: 403 for the credentials, 530 for the virtual host.
    public init(_ url: BrokerURL, name: String, heartbeatSeconds: Int = 30, frameMaxBytes: Int = 131_072) throws(AMQPError) {
        let login = Login(
            url: url, name: name, heartbeatSeconds: url.heartbeatSeconds ?? heartbeatSeconds, frameMaxBytes: frameMaxBytes)
        let (state, frameMaxBytes) = try login.open()
        self.init(loggedIn: state, frameMaxBytes: frameMaxBytes)
    }

    private init(loggedIn state: OpaquePointer, frameMaxBytes: Int) {
        self.state = state
        self.frameMaxBytes = frameMaxBytes
    }

    deinit { if let state { amqp_destroy_connection(state) } }

    /// The socket, for polling; -1 once the connection is gone.
    public var descriptor: Int32 { state.map(amqp_get_sockfd) ?? -1 }

    /// False once the connection is lost or closed.
    public var isUsable: Bool { state != nil }

    /// False between a channel error and `reopenChannel()`.
    public var isChannelOpen: Bool { state != nil && channelClosure == nil }

    /// True while there is something to receive that polling the descriptor would not show.
    public var hasBufferedInput: Bool {
        guard let state else { return false }
        return !pending.isEmpty || amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0
    }

    /// Says goodbye and closes the socket. What is not acknowledged will be delivered again. Never fails.
    public mutating func close() {
        guard state != nil else { return }
        let farewell = amqp_connection_close_t(reply_code: 200, reply_text: amqp_bytes_t(), class_id: 0, method_id: 0)
        // A peer that does not say goodbye is left all the same.
        _ = try? call(AMQP_CONNECTION_CLOSE_METHOD, farewell, on: 0, expecting: AMQP_CONNECTION_CLOSE_OK_METHOD, within: 5)
        destroy()
    }

    /// Makes the channel usable again after a `channel` error; on an open channel, closes it first.
    ///
    /// Confirms and prefetch are set again if they were. Consumers are gone, deliveries not acknowledged come again with new tags,
    /// sequences start from 1, and the outcome of unconfirmed publishes is unknown.
    public mutating func reopenChannel() throws(AMQPError) {
        if isChannelOpen {
            let farewell = amqp_channel_close_t(reply_code: 200, reply_text: amqp_bytes_t(), class_id: 0, method_id: 0)
            do {
                _ = try call(AMQP_CHANNEL_CLOSE_METHOD, farewell, expecting: AMQP_CHANNEL_CLOSE_OK_METHOD)
            } catch  where error.kind == .channel {}  // the broker was faster: closed it is
        }
        pending.removeDeliveries()
        assembler.reset()
        ledger = ConfirmLedger()
        publishesSinceDrain = 0
        channelClosure = nil
        try openChannel(Self.mainChannel)
        if let prefetchCount { try setPrefetch(prefetchCount) }
        if confirmsEnabled { try enableConfirms() }
    }

    mutating func openChannel(_ channel: amqp_channel_t) throws(AMQPError) {
        _ = try call(AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t(), on: channel, expecting: AMQP_CHANNEL_OPEN_OK_METHOD)
    }

    /// Ends the connection without a word, as the library demands after any error of its own.
    mutating func destroy() {
        if let state { amqp_destroy_connection(state) }
        state = nil
        pending.removeDeliveries()
        assembler.reset()
    }

    /// Destroys the connection and returns what to throw.
    mutating func fail(status: Int32, _ action: StaticString) -> AMQPError {
        destroy()
        return AMQPError(status: status, "\(action)")
    }

    /// The live connection, or the reason there is none.
    func opened() throws(AMQPError) -> OpaquePointer {
        guard let state else { throw AMQPError(.connection, "the connection is closed") }
        return state
    }

    /// The live connection with its main channel open, or the reason there is none.
    func channelOpened() throws(AMQPError) -> OpaquePointer {
        let state = try opened()
        if let channelClosure { throw channelClosure }
        return state
    }
}
