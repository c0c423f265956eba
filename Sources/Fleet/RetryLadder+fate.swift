internal import AMQP
internal import Contract
internal import Jobs

/// What is to become of a job that is through.
enum JobFate {
    case succeeded(result: JSONValue?, isDuplicate: Bool)
    /// It waits on a step of the ladder and comes again.
    case waiting(Wait)
    /// It becomes a dead letter.
    case dead(Rejection)

    struct Wait {
        let milliseconds: Int64
        /// The number of the attempt that follows.
        let attempt: Int64
        var code: ErrorCode?
        let message: String
        var cancellations: Int64?
        /// Whether it waits for room, and no attempt is counted.
        var isDeferred = false
    }
}

extension RetryLadder {
    /// A job that was cancelled so often is given up.
    private static let mostCancellations: Int64 = 3

    /// What follows from an outcome, with what the job's headers say of earlier attempts.
    func fate(of outcome: Outcome, delivery: Delivery) -> JobFate {
        switch outcome {
        case .succeeded(let result, let isDuplicate): return .succeeded(result: result, isDuplicate: isDuplicate)
        case .rejected(let rejection): return .dead(rejection)
        case .notYet(let rejection): return again(.notYet, delivery, cause: rejection, last: rejection)
        case .failed(let cause):
            let last = Rejection(.retriesExhausted, "given up after the last retry; last cause: \(cause)")
            return again(.failed, delivery, cause: Rejection(.retriesExhausted, cause), last: last)
        case .cancelled(let cause):
            let count = min(max(0, delivery.headerInt(Header.cancellations.constant) ?? 0), Self.mostCancellations) + 1
            let rejection = Rejection(.tooSlow, "cancelled \(count) times; last cause: \(cause)")
            guard count < Self.mostCancellations else { return .dead(rejection) }
            return again(.failed, delivery, cause: rejection, last: rejection, cancellations: count)
        case .deferred(let seconds, let cause):
            guard let delay = delayMilliseconds(atLeast: Int64(seconds * 1_000)) else {
                return .dead(Rejection(.retriesExhausted, "given up, since there is no step to wait on; cause: \(cause)"))
            }
            return .waiting(.init(milliseconds: delay, attempt: Self.attempt(delivery), message: cause, isDeferred: true))
        }
    }

    private func again(
        _ reason: Reason, _ delivery: Delivery, cause: Rejection, last: Rejection, cancellations: Int64? = nil
    ) -> JobFate {
        switch step(afterAttempt: Self.attempt(delivery), reason: reason) {
        case .giveUp: .dead(last)
        case .wait(let delay, let next):
            .waiting(
                .init(
                    milliseconds: delay, attempt: next, code: cause.code, message: cause.message, cancellations: cancellations))
        }
    }

    /// The number of the attempt that was made.
    static func attempt(_ delivery: Delivery) -> Int64 { delivery.headerInt(Header.attempts.constant) ?? 1 }
}
