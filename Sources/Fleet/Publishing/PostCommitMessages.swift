internal import AMQP
internal import Contract
internal import Jobs

/// What a lane publishes for a batch after its commit and before its acknowledgement: answers, dead letters, retries and events.
struct PostCommitMessages {
    private let ladder: RetryLadder
    /// Dead letters and retries: the jobs themselves, which must not be lost.
    private(set) var required: [Required] = []
    private var answers: [Publisher.OutgoingMessage] = []
    /// By status and kind.
    private var events: [String: [FinishedJob]] = [:]

    /// A message that must not be lost.
    struct Required: Sendable {
        let message: Publisher.OutgoingMessage
        /// What it was made from.
        let job: FinishedJob
    }

    /// What may be lost if the broker does not take it: answers, and events.
    var optional: [BestEffortPublisher.Item] {
        answers.map { .answer($0) } + events.sorted { $0.key < $1.key }.map { .events(routingKey: $0.key, $0.value) }
    }

    init(_ ladder: RetryLadder) {
        self.ladder = ladder
    }

    /// Notes what is to be published for one job.
    ///
    /// - Returns: how it ended, for the metrics.
    mutating func add(_ job: FinishedJob) -> FinishedJob.Ending {
        switch ladder.fate(of: job.outcome, delivery: job.delivery) {
        case .succeeded(let result, let isDuplicate):
            answer(job, result: result, isDuplicate: isDuplicate, error: nil)
            note(job, .succeeded)
            return isDuplicate ? .duplicate : .succeeded
        case .waiting(let wait):
            repeatLater(job, wait)
            return wait.isDeferred ? .deferred : .retried
        case .dead(let rejection):
            let letter = job.letter ?? DeadLetter(job, rejection, seal: nil)
            required.append(Required(message: letter.message(of: job.delivery), job: job))
            answer(job, result: nil, isDuplicate: false, error: rejection)
            note(job, .rejected)
            return .rejected
        }
    }

    /// Sends the job to wait on a step of the ladder.
    private mutating func repeatLater(_ job: FinishedJob, _ wait: JobFate.Wait) {
        var properties = job.delivery.republishableProperties
        if let cancellations = wait.cancellations { properties.headers[Header.cancellations.name] = .int(cancellations) }
        properties.headers[Header.attempts.name] = .int(wait.attempt)
        properties.headers[Header.retryDelay.name] = .int(wait.milliseconds)
        properties.headers[Header.retryCause.name] = wait.code.map { .text($0.rawValue) }
        properties.headers[Header.retryMessage.name] = .text(wait.message)
        properties.expiration = String(wait.milliseconds)
        let message = Publisher.OutgoingMessage(
            exchange: Topology.retryExchange, routingKey: job.delivery.routingKey, properties: properties,
            body: .delivery(job.delivery), isMandatory: true)
        required.append(Required(message: message, job: job))
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
        properties.correlationID = id
        if let bytes = job.delivery.correlationIDBytes { properties.setCorrelationID(bytes) }
        properties.headers[Header.traceparent.name] = job.delivery.headerText(Header.traceparent.constant).map { .text($0) }
        properties.messageID = id
        answers.append(
            Publisher.OutgoingMessage(
                exchange: "", routingKey: replyTo, properties: properties, body: .bytes(answer.encoded())))
    }

    private mutating func note(_ job: FinishedJob, _ status: Answer.Status) {
        guard let kind = job.kind else { return }
        events[EventKey.job(status, kind), default: []].append(job)
    }
}
