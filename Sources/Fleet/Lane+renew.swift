internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs

/// Deliveries that go back to the jobs' exchange as new messages before anybody works at them.
extension Lane {
    /// A delivery that came back so often is sent anew: newer brokers drop a message that comes back too often, by default for the 21st time.
    private static let mostDeliveries: Int64 = 8

    /// Sends anew what has come back too often, and what lies here under another name than its kind's: moved by hand, or by a shovel.
    ///
    /// - Returns: the others.
    func renew(_ batch: [Delivery], _ intake: Intake) throws(Interruption) -> [Delivery] {
        guard batch.contains(where: { Self.routingKey(toRenew: $0) != nil }) else { return batch }
        var left: [Delivery] = []
        for delivery in batch {
            guard let routingKey = Self.routingKey(toRenew: delivery) else {
                left.append(delivery)
                continue
            }
            let job = FinishedJob(delivery, sender: nil, .deferred(seconds: 0, cause: "it is sent anew"))
            let message = Publisher.OutgoingMessage(
                exchange: Topology.jobsExchange, routingKey: routingKey,
                properties: Self.properties(ofRenewed: delivery), body: .delivery(delivery), isMandatory: true)
            try deliver([PostCommitMessages.Required(message: message, job: job)], intake, nil)
            intake.hold([delivery.deliveryTag])
            try intake.acknowledge([delivery.deliveryTag])
            metrics.renewed.increment()
        }
        return left
    }

    private static func routingKey(toRenew delivery: Delivery) -> String? {
        // A body that is not here whole is not sent on; it is given up anyway.
        guard !delivery.isBodyCut else { return nil }
        if Kind.named(delivery.routingKeyBytes) != nil {
            guard delivery.redelivered, let count = delivery.headerInt("x-delivery-count") else { return nil }
            return count >= mostDeliveries ? delivery.routingKey : nil
        }
        guard Topology.isFleetQueue(delivery.routingKey) || isLetter(delivery) else { return nil }
        let claimed = delivery.header(Header.kind.constant) ?? delivery.typeBytes
        return claimed.flatMap { Kind.named($0) }?.name
    }

    private static func isLetter(_ delivery: Delivery) -> Bool { delivery.header(Header.errorCode.constant) != nil }

    private static func properties(ofRenewed delivery: Delivery) -> Properties {
        var properties = delivery.republishableProperties
        properties.headers["x-delivery-count"] = nil
        if isLetter(delivery) {
            properties.forgetFailure(keepsSeal: true)
        } else {
            // To the broker it is new; to the quarantine it is not.
            properties.headers[Header.renewed.name] = "1"
        }
        return properties
    }
}

extension Properties {
    /// Takes off what the fleet and the broker have noted of a job that failed: it begins anew.
    ///
    /// - Parameter keepsSeal: whether it is sent without a credential.
    mutating func forgetFailure(keepsSeal: Bool) {
        let kept = keepsSeal ? Set([Header.key, Header.seal, Header.redacted].map(\.name)) : []
        let added = Set(Header.added.map(\.name)).subtracting(kept)
        for (name, _) in headers.entries
        where added.contains(name) || name == "x-death" || name.hasPrefix("x-first-death-") || name.hasPrefix("x-last-death-")
            || name == "x-delivery-count"
        {
            headers[name] = nil
        }
    }
}
