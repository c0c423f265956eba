/// What went wrong on an AMQP connection, with the broker's own reply code where it sent one.
public struct AMQPError: Error, Sendable, CustomStringConvertible {
    /// Whose fault it was, and so what is left usable.
    public enum Kind: Sendable, Equatable {
        /// Refused, lost, or closed by the broker: the connection is gone, the outcome of what was in flight unknown.
        case connection
        /// The broker closed the channel (`replyCode` says why); the connection lives, see ``Connection/reopenChannel()``.
        case channel
        /// librabbitmq gave up (out of memory, malformed frames): the connection is gone.
        case library
        /// Our own misuse, refused before anything was sent.
        case usage
        /// The time given is over; the connection is as usable as before.
        case timeout
        /// The broker has announced that it takes no publishes (`connection.blocked`).
        case blocked
    }

    public var kind: Kind
    /// The reply code of `channel.close` or `connection.close`, raw (AMQP 0-9-1, section 1.2): 404, 406, 320 and so on.
    public var replyCode: Int?
    public var message: String

    public init(_ kind: Kind, replyCode: Int? = nil, _ message: String) {
        self.kind = kind
        self.replyCode = replyCode
        self.message = message
    }

    /// True when the connection is gone and a new one must be made.
    public var isConnectionLoss: Bool { kind == .connection || kind == .library }

    public var description: String {
        let code = replyCode.map { " \($0)" } ?? ""
        return "AMQP \(kind) error\(code): \(message)"
    }
}
