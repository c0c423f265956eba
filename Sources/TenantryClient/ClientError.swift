internal import AMQP

/// Why a job could not be handed over, its answer not be had, or alerts not be received.
///
/// A job that the fleet rejects is no such error: it has an ``Answer`` with the status `rejected`.
public struct ClientError: Error, Sendable {
    /// What went wrong, and so what can be done about it.
    public enum Kind: String, Sendable, CaseIterable {
        /// The broker cannot be reached, refuses the login, or was lost and did not come back in time.
        case connection
        /// The broker has no exchange or queue for it: the fleet's topology is not declared.
        case unroutable
        /// The broker does not take it: a queue is full, or the broker's user may not do this.
        case refused
        /// The time is over. The job may run all the same: send it again under the same id to have its answer.
        case timeout
        /// The task was cancelled while it waited. The job may run all the same.
        case cancelled
        /// The client or subscription was shut down.
        case closed
        /// What was given cannot be sent, or what was received cannot be read.
        case invalid
    }

    public var kind: Kind
    /// A sentence for a person. It holds no credential and no payload.
    public var message: String
    /// The id of the job that it is about: send the same job again under this id, it has no second effect.
    public var jobID: String?
    /// The broker's own reply code (AMQP 0-9-1, section 1.2) where it sent one: 404, 403, 320 and so on.
    public var replyCode: Int?
    /// What caused it, where there is more to know.
    public var underlying: (any Error)?

    public init(
        _ kind: Kind, _ message: String, jobID: String? = nil, replyCode: Int? = nil, underlying: (any Error)? = nil
    ) {
        self.kind = kind
        self.message = message
        self.jobID = jobID
        self.replyCode = replyCode
        self.underlying = underlying
    }
}

extension ClientError: CustomStringConvertible {
    public var description: String { message }
}

extension ClientError {
    init(_ kind: Kind, _ message: String, jobID: String? = nil, because error: AMQPError) {
        self.init(kind, message, jobID: jobID, replyCode: error.replyCode, underlying: error)
    }

    /// A connection that could not be made, or was lost.
    init(brokerLost error: AMQPError) {
        self.init(
            error.kind == .usage ? .invalid : .connection, "the broker cannot be used: \(error.message)", because: error)
    }

    /// A channel that the broker closed because of what was asked of `exchange`.
    init(channelClosed error: AMQPError, exchange: String) {
        guard error.replyCode == 404 else {
            self.init(.refused, "the broker refuses it: \(error.message)", because: error)
            return
        }
        self.init(
            .unroutable, "there is no exchange \(exchange): is the topology declared (tenantry topology apply)?", because: error)
    }
}
