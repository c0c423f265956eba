internal import AMQP
internal import Contract
internal import Jobs

/// What a lane publishes for a batch after its commit and before its acknowledgement: answers, dead letters, retries and events.
struct Settlement {
    /// One job that is through, or a delivery that never became one.
    struct Settled {
        let delivery: Delivery
        let kind: Kind?
        let account: String
        let outcome: Outcome
    }

    private let ladder: RetryLadder
    /// Dead letters and retries: the jobs themselves, which must not be lost.
    private(set) var required: [Publisher.Message] = []
    private(set) var answers: [Publisher.Message] = []
    /// Events by status and kind: the first of each goes out mandatory, and only if somebody is bound, the rest.
    private(set) var events: [String: [Settled]] = [:]

    init(_ ladder: RetryLadder) {
        self.ladder = ladder
    }

    /// Notes what is to be published for one job.
    ///
    /// - Returns: how it ended, for the metrics.
    mutating func add(_ settled: Settled) -> Ending {
        switch settled.outcome {
        case .succeeded(let result, let isDuplicate):
            answer(settled, result: result, isDuplicate: isDuplicate, error: nil)
            note(settled, .succeeded)
            return isDuplicate ? .duplicate : .succeeded
        case .rejected(let rejection):
            reject(settled, rejection)
            return .rejected
        case .notYet(let rejection):
            return climb(settled, .notYet, cause: rejection, last: rejection)
        case .failed(let cause):
            let rejection = Rejection(.retriesExhausted, "given up after the last retry; last cause: \(cause)")
            return climb(settled, .failed, cause: Rejection(.retriesExhausted, cause), last: rejection)
        }
    }

    /// How a job's stay with the worker ended; a label of the metrics.
    enum Ending: String, CaseIterable {
        case succeeded, duplicate, rejected, retried
    }

    private mutating func climb(_ settled: Settled, _ reason: RetryLadder.Reason, cause: Rejection, last: Rejection) -> Ending {
        let attempt = settled.delivery.headerInt(Header.attempts.constant) ?? 1
        switch ladder.step(afterAttempt: attempt, reason: reason) {
        case .giveUp:
            reject(settled, last)
            return .rejected
        case .wait(let delay, let next):
            var properties = Self.republishable(settled.delivery)
            properties.headers[Header.attempts.name] = .int(next)
            properties.headers[Header.retryDelay.name] = .int(delay)
            properties.headers[Header.retryCause.name] = .text(cause.code.rawValue)
            properties.headers[Header.retryMessage.name] = .text(cause.message)
            properties.expiration = String(delay)
            required.append(
                Publisher.Message(
                    exchange: Topology.retryExchange, routingKey: settled.delivery.routingKey, properties: properties,
                    body: .delivery(settled.delivery), isMandatory: true))
            return .retried
        }
    }

    private mutating func reject(_ settled: Settled, _ rejection: Rejection) {
        let delivery = settled.delivery
        var properties = Self.republishable(delivery)
        let name = settled.kind?.name ?? delivery.routingKey
        properties.headers[Header.retryDelay.name] = nil
        properties.headers[Header.errorCode.name] = .text(rejection.code.rawValue)
        properties.headers[Header.errorMessage.name] = .text(rejection.message)
        properties.headers[Header.errorField.name] = rejection.field.map { .text($0) }
        properties.headers[Header.kind.name] = .text(name)
        properties.headers[Header.attempts.name] = .int(delivery.headerInt(Header.attempts.constant) ?? 1)
        properties.headers[Header.failedAt.name] = .text(RFC3339.text(SystemClock.nowMicroseconds()))
        required.append(
            Publisher.Message(
                exchange: Topology.deadExchange, routingKey: delivery.routingKey, properties: properties,
                body: .delivery(delivery),
                isMandatory: true))
        answer(settled, result: nil, isDuplicate: false, error: rejection)
        note(settled, .rejected)
    }

    private mutating func answer(_ settled: Settled, result: JSONValue?, isDuplicate: Bool, error: Rejection?) {
        guard let replyTo = settled.delivery.replyTo, !replyTo.isEmpty, !Topology.isFleetQueue(replyTo) else { return }
        let id = settled.delivery.messageID ?? ""
        let kind = settled.kind?.name ?? settled.delivery.routingKey
        let answer =
            error.map { Answer(jobID: id, kind: kind, error: $0) }
            ?? Answer(jobID: id, kind: kind, result: result ?? .object([:]), duplicate: isDuplicate)
        var properties = Properties(contentType: "application/json")
        properties.type = answer.status.messageType
        properties.correlationID = settled.delivery.correlationID ?? id
        properties.headers[Header.traceparent.name] = settled.delivery.headerText(Header.traceparent.constant).map { .text($0) }
        properties.messageID = id
        answers.append(
            Publisher.Message(
                exchange: "", routingKey: replyTo, properties: properties, body: .bytes(answer.encoded())))
    }

    /// A job's properties as we may send them on: the broker takes no other user's `user_id`, and a dead letter must not expire.
    private static func republishable(_ delivery: Delivery) -> Properties {
        var properties = delivery.properties
        properties.userID = nil
        properties.expiration = nil
        return properties
    }

    private mutating func note(_ settled: Settled, _ status: Answer.Status) {
        guard let kind = settled.kind else { return }
        events[EventKey.job(status, kind), default: []].append(settled)
    }
}

extension Settlement.Settled {
    /// The event of this job on `tenantry.events`. It carries no result: an answer is for the one who asked.
    func event(routingKey: String, isMandatory: Bool) -> Publisher.Message {
        let id = delivery.messageID ?? ""
        var body: [String: JSONValue] = [
            "job_id": .string(id), "kind": .string(kind?.name ?? delivery.routingKey), "account": .string(account),
            "tenant": delivery.headerText(Header.tenant.constant).map { .string($0) } ?? .null,
            "duplicate": .bool(false), "error": .null,
        ]
        switch outcome {
        case .succeeded(_, let isDuplicate):
            body["status"] = .string(Answer.Status.succeeded.rawValue)
            body["duplicate"] = .bool(isDuplicate)
        case .rejected(let rejection), .notYet(let rejection):
            body["status"] = .string(Answer.Status.rejected.rawValue)
            body["error"] = rejection.json
        case .failed(let cause):
            body["status"] = .string(Answer.Status.rejected.rawValue)
            body["error"] = Rejection(.retriesExhausted, cause).json
        }
        var properties = Properties(contentType: "application/json")
        properties.type = String(routingKey.split(separator: ".").prefix(2).joined(separator: "."))
        properties.messageID = id
        return Publisher.Message(
            exchange: Topology.eventsExchange, routingKey: routingKey, properties: properties,
            body: .bytes(JSONValue.object(body).serialised()), isMandatory: isMandatory)
    }
}

extension Rejection {
    var json: JSONValue {
        ["code": .string(code.rawValue), "message": .string(message), "field": field.map { .string($0) } ?? .null]
    }
}
