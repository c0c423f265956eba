internal import AMQP
internal import Jobs
internal import Postgres

/// What takes a thread of a worker off its work, told apart by what is to be done about it.
enum Interruption: Error {
    /// The broker's connection is lost, was refused, or is of no more use: connect anew. What was not acknowledged comes again.
    case brokerLost(BrokerLoss)
    /// The database is away, lacks what the fleet stands on, or cannot do it just now: connect anew and do the same again. It counts as nobody's
    /// attempt.
    case databaseAway(any Error)
    /// A stop was asked for, and there is nothing in hand or no time left for it: what is in hand goes back to the broker.
    case stopped
    /// Nothing that waiting mends, such as a statement of the fleet's own that is wrong: the worker ends.
    case fatal(any Error)

    /// Runs what talks to the broker. Every error of the connection's takes the lane off its work.
    static func onBroker<Value: ~Copyable>(_ body: () throws(AMQPError) -> Value) throws(Interruption) -> Value {
        do throws(AMQPError) {
            return try body()
        } catch {
            throw .brokerLost(.connection(error))
        }
    }
}

extension Interruption: CustomStringConvertible {
    var description: String {
        switch self {
        case .brokerLost(let loss): loss.description
        case .databaseAway(let cause), .fatal(let cause): "\(cause)"
        case .stopped: "told to stop"
        }
    }
}

/// What the failures of the fleet's own statements mean: not those of a handler, whose failure is some job's (see ``TransactionFailure``).
struct DatabasePatience {
    /// How often in a row something may fail in a way that passes by itself, before it is taken for a mistake that stays.
    static let mostRepeats = 20

    private var repeats = 0

    mutating func interruption(by error: PostgresError) -> Interruption {
        switch error.fault {
        case .server, .environment, .time: return .databaseAway(error)
        case .collision, .session, .size, .overdue:
            guard repeats < Self.mostRepeats else { return .fatal(error) }
            repeats += 1
            return .databaseAway(error)
        case .data, .unknown: return .fatal(error)
        }
    }

    /// What failed has gone through.
    mutating func reset() { repeats = 0 }
}

/// How a lane lost its broker.
enum BrokerLoss: CustomStringConvertible {
    case connection(AMQPError)
    /// The broker ended a consumer, because its queue was deleted or moved to another node.
    case consumerCancelled(queue: String)

    var description: String {
        switch self {
        case .connection(let error): error.description
        case .consumerCancelled(let queue): "the broker ended the consumer of \(queue): its queue was deleted or moved"
        }
    }
}
