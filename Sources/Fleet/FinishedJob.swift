internal import AMQP
internal import Contract
internal import Jobs

/// One job that is through, or a delivery that never became one, and how it ended.
struct FinishedJob: Sendable {
    let delivery: Delivery
    let kind: Kind?
    /// Nil where the credential does not hold, or nobody has looked at it.
    let sender: Principal?
    /// Whether somebody has looked, and found no credential that holds.
    let isStrangers: Bool
    /// Whether it came by HTTP, and has a row of its own.
    let isByHTTP: Bool
    let outcome: Outcome
    /// What is kept of it if it is given up, once its row is written.
    var letter: DeadLetter?

    /// - Parameter isByHTTP: nil: it is looked up.
    init(_ delivery: Delivery, sender: Principal?, isStrangers: Bool = false, isByHTTP: Bool? = nil, _ outcome: Outcome) {
        self.delivery = delivery
        kind = Envelope.kind(of: delivery)
        self.sender = sender
        self.isStrangers = isStrangers
        self.isByHTTP = isByHTTP ?? delivery.isByHTTP
        self.outcome = outcome
    }

    /// What the metrics count it as.
    enum Ending: String, CaseIterable {
        case succeeded, duplicate, rejected, retried, deferred
    }

    /// The event of this job on `tenantry.events`. It carries no result: an answer is for the one who asked.
    func event(routingKey: String, isMandatory: Bool) -> Publisher.OutgoingMessage {
        let id = delivery.messageID ?? ""
        var body: [String: JSONValue] = [
            "job_id": .string(id), "kind": .string(kind?.name ?? delivery.routingKey), "account": .string(sender?.account ?? ""),
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
        case .failed(let cause), .deferred(_, let cause):
            body["status"] = .string(Answer.Status.rejected.rawValue)
            body["error"] = Rejection(.retriesExhausted, cause).json
        case .cancelled(let cause):
            body["status"] = .string(Answer.Status.rejected.rawValue)
            body["error"] = Rejection(.tooSlow, cause).json
        }
        var properties = Properties(contentType: "application/json")
        properties.type = String(routingKey.split(separator: ".").prefix(2).joined(separator: "."))
        properties.messageID = id
        return Publisher.OutgoingMessage(
            exchange: Topology.eventsExchange, routingKey: routingKey, properties: properties,
            body: .bytes(JSONValue.object(body).serialised()), isMandatory: isMandatory)
    }
}
