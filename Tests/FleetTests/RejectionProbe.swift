internal import AMQP
internal import Contract

@testable internal import Fleet
@testable internal import Jobs

/// What a lane would publish for a delivery that is rejected.
enum RejectionProbe {
    static func properties(of delivery: Delivery, _ code: ErrorCode) -> Properties {
        var messages = PostCommitMessages(RetryLadder())
        _ = messages.add(FinishedJob(delivery, sender: nil, .rejected(Rejection(code, "for a test"))))
        if let first = messages.required.first { return first.message.properties }
        guard case .answer(let answer) = messages.optional[0] else { preconditionFailure("a rejection is a letter or an answer") }
        return answer.properties
    }
}
