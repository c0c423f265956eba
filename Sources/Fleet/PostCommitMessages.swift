internal import AMQP
internal import Contract
internal import Jobs

/// What a lane publishes for a batch after its commit and before its acknowledgement: answers, dead letters, retries and events.
struct PostCommitMessages {
    private let ladder: RetryLadder
    /// Dead letters and retries: the jobs themselves, which must not be lost.
    private(set) var required: [Publisher.OutgoingMessage] = []
    private(set) var answers: [Publisher.OutgoingMessage] = []
    /// Events by status and kind: the first of each goes out mandatory, and only if somebody is bound, the rest.
    private(set) var events: [String: [FinishedJob]] = [:]

    init(_ ladder: RetryLadder) {
        self.ladder = ladder
    }

    /// Notes what is to be published for one job.
    ///
    /// - Returns: how it ended, for the metrics.
    mutating func add(_ job: FinishedJob) -> FinishedJob.Ending {
        switch job.outcome {
        case .succeeded(let result, let isDuplicate):
            answer(job, result: result, isDuplicate: isDuplicate, error: nil)
            note(job, .succeeded)
            return isDuplicate ? .duplicate : .succeeded
        case .rejected(let rejection):
            reject(job, rejection)
            return .rejected
        case .notYet(let rejection):
            return retryLater(job, .notYet, cause: rejection, last: rejection)
        case .failed(let cause):
            let rejection = Rejection(.retriesExhausted, "given up after the last retry; last cause: \(cause)")
            return retryLater(job, .failed, cause: Rejection(.retriesExhausted, cause), last: rejection)
        case .cancelled(let cause):
            let count = min(max(0, job.delivery.headerInt(Header.cancellations.constant) ?? 0), Self.mostCancellations) + 1
            let rejection = Rejection(.tooSlow, "cancelled \(count) times; last cause: \(cause)")
            guard count < Self.mostCancellations else {
                reject(job, rejection)
                return .rejected
            }
            return retryLater(job, .failed, cause: rejection, last: rejection, cancellations: count)
        case .deferred(let seconds, let cause):
            guard let delay = ladder.delayMilliseconds(atLeast: Int64(seconds * 1_000)) else {
                reject(job, Rejection(.retriesExhausted, "given up, since there is no step to wait on; cause: \(cause)"))
                return .rejected
            }
            let attempt = job.delivery.headerInt(Header.attempts.constant) ?? 1
            wait(job, milliseconds: delay, attempt: attempt, code: nil, message: cause)
            return .deferred
        }
    }

    /// A job that was cancelled so often is given up.
    private static let mostCancellations: Int64 = 3

    private mutating func retryLater(
        _ job: FinishedJob, _ reason: RetryLadder.Reason, cause: Rejection, last: Rejection, cancellations: Int64? = nil
    ) -> FinishedJob.Ending {
        let attempt = job.delivery.headerInt(Header.attempts.constant) ?? 1
        switch ladder.step(afterAttempt: attempt, reason: reason) {
        case .giveUp:
            reject(job, last)
            return .rejected
        case .wait(let delay, let next):
            wait(
                job, milliseconds: delay, attempt: next, code: cause.code, message: cause.message, cancellations: cancellations)
            return .retried
        }
    }

    /// Sends the job to wait on a step of the ladder.
    private mutating func wait(
        _ job: FinishedJob, milliseconds: Int64, attempt: Int64, code: ErrorCode?, message: String, cancellations: Int64? = nil
    ) {
        var properties = Self.republishable(job.delivery)
        if let cancellations { properties.headers[Header.cancellations.name] = .int(cancellations) }
        properties.headers[Header.attempts.name] = .int(attempt)
        properties.headers[Header.retryDelay.name] = .int(milliseconds)
        properties.headers[Header.retryCause.name] = code.map { .text($0.rawValue) }
        properties.headers[Header.retryMessage.name] = .text(message)
        properties.expiration = String(milliseconds)
        required.append(
            Publisher.OutgoingMessage(
                exchange: Topology.retryExchange, routingKey: job.delivery.routingKey, properties: properties,
                body: .delivery(job.delivery), isMandatory: true))
    }

    private mutating func reject(_ job: FinishedJob, _ rejection: Rejection) {
        let delivery = job.delivery
        var properties = Self.republishable(delivery)
        let name = job.kind?.name ?? delivery.routingKey
        properties.headers[Header.retryDelay.name] = nil
        properties.headers[Header.errorCode.name] = .text(rejection.code.rawValue)
        properties.headers[Header.errorMessage.name] = .text(rejection.message)
        properties.headers[Header.errorField.name] = rejection.field.map { .text($0) }
        properties.headers[Header.kind.name] = .text(name)
        properties.headers[Header.attempts.name] = .int(delivery.headerInt(Header.attempts.constant) ?? 1)
        properties.headers[Header.failedAt.name] = .text(RFC3339.text(SystemClock.nowMicroseconds()))
        required.append(
            Publisher.OutgoingMessage(
                exchange: Topology.deadExchange, routingKey: delivery.routingKey, properties: properties,
                body: .delivery(delivery),
                isMandatory: true))
        answer(job, result: nil, isDuplicate: false, error: rejection)
        note(job, .rejected)
    }

    private mutating func answer(_ job: FinishedJob, result: JSONValue?, isDuplicate: Bool, error: Rejection?) {
        guard let replyTo = job.delivery.replyTo, !replyTo.isEmpty, ReplyAddress.refusal(of: replyTo, for: job.sender) == nil
        else {
            return
        }
        let id = job.delivery.messageID ?? ""
        let kind = job.kind?.name ?? job.delivery.routingKey
        let answer =
            error.map { Answer(jobID: id, kind: kind, error: $0) }
            ?? Answer(jobID: id, kind: kind, result: result ?? .object([:]), duplicate: isDuplicate)
        var properties = Properties(contentType: "application/json")
        properties.type = answer.status.messageType
        properties.correlationID = job.delivery.correlationID ?? id
        properties.headers[Header.traceparent.name] = job.delivery.headerText(Header.traceparent.constant).map { .text($0) }
        properties.messageID = id
        answers.append(
            Publisher.OutgoingMessage(
                exchange: "", routingKey: replyTo, properties: properties, body: .bytes(answer.encoded())))
    }

    /// A job's properties as we may send them on: the broker takes no other user's `user_id`, and a dead letter must not expire.
    private static func republishable(_ delivery: Delivery) -> Properties {
        var properties = delivery.properties
        properties.userID = nil
        properties.expiration = nil
        return properties
    }

    private mutating func note(_ job: FinishedJob, _ status: Answer.Status) {
        guard let kind = job.kind else { return }
        events[EventKey.job(status, kind), default: []].append(job)
    }
}
