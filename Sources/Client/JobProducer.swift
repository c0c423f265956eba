internal import AMQP
public import Contract
internal import Glibc

/// One job to be sent.
public struct JobRequest: Sendable {
    /// `family.verb`; also the routing key.
    public var kind: String
    /// JSON, UTF-8.
    public var body: [UInt8]
    /// The tenant's slug, for kinds that work on one.
    public var tenant: String?
    /// The idempotency key within the account, 1 to 128 characters: send the same job again under the same id.
    public var id: String
    /// W3C trace context.
    public var traceparent: String?

    public init(kind: String, body: [UInt8], tenant: String? = nil, id: String, traceparent: String? = nil) {
        self.kind = kind
        self.body = body
        self.tenant = tenant
        self.id = id
        self.traceparent = traceparent
    }
}

/// Why a job could not be handed over, or its answer not be had.
public struct ClientError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public var description: String { message }

    init(_ message: String) {
        self.message = message
    }
}

/// Sends jobs, with publisher confirms, and receives their answers. For one thread; make one for each.
public final class JobProducer {
    /// Jobs in flight before confirms are waited for.
    private static let window = 1_000

    private var connection: AMQP.Connection
    private let authorization: String
    private let answerQueue: String?
    private var unconfirmed = 0

    /// - Parameters:
    ///   - brokerURL: `amqp://` or `amqps://`.
    ///   - credential: `<key>.<secret>`.
    ///   - wantsAnswers: declares a private queue and asks that every job be answered there.
    /// - Throws: `ClientError` if the broker cannot be reached.
    public init(brokerURL: String, credential: String, wantsAnswers: Bool) throws {
        do throws(AMQPError) {
            connection = try AMQP.Connection(try BrokerURL(brokerURL), name: "tenantry client")
            try connection.enableConfirms()
            if wantsAnswers {
                let queue = "answers-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
                _ = try connection.declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
                try connection.consume(queue, tag: queue)
                answerQueue = queue
            } else {
                answerQueue = nil
            }
        } catch {
            throw ClientError("the broker cannot be used: \(error.message)")
        }
        authorization = "Bearer \(credential)"
    }

    /// Hands a job to the broker; call ``confirm()`` to know that it has it.
    public func send(_ job: JobRequest) throws {
        var properties = Properties(contentType: "application/json")
        properties.type = job.kind
        properties.messageID = job.id
        properties.timestamp = UInt64(time(nil))
        properties.replyTo = answerQueue
        properties.headers = [Header.authorization.name: .text(authorization)]
        properties.headers[Header.tenant.name] = job.tenant.map { .text($0) }
        properties.headers[Header.traceparent.name] = job.traceparent.map { .text($0) }
        do throws(AMQPError) {
            _ = try connection.publish(
                exchange: Topology.jobsExchange, routingKey: job.kind, properties: properties, body: job.body, mandatory: true)
        } catch {
            throw ClientError("the job could not be sent: \(error)")
        }
        unconfirmed += 1
        if unconfirmed >= Self.window { try confirm() }
    }

    /// Waits until the broker has taken responsibility for every job sent.
    ///
    /// - Throws: `ClientError` if it refused one or has no queue for it; then send again under the same ids.
    public func confirm(timeoutSeconds: Double = 30) throws {
        let outcome: ConfirmOutcome
        do throws(AMQPError) {
            outcome = try connection.awaitConfirms(timeoutSeconds: timeoutSeconds)
        } catch {
            throw ClientError("the broker did not confirm: \(error)")
        }
        unconfirmed = 0
        if let returned = outcome.returned.first {
            throw ClientError("no queue takes \(returned.routingKey): is the topology declared (tenantry topology apply)?")
        }
        guard outcome.nacked.isEmpty else {
            throw ClientError("the broker refused \(outcome.nacked.count) jobs: a queue is full?")
        }
    }

    /// The next answer, with its body as it came; nil when none came in time.
    public func nextAnswer(timeoutSeconds: Double) throws -> (answer: Answer, body: [UInt8])? {
        guard let delivery = try nextDelivery(timeoutSeconds: timeoutSeconds) else { return nil }
        let body = Array(delivery.body)
        do {
            return (try Answer(parsing: body), body)
        } catch {
            throw ClientError("an answer could not be read: \(error)")
        }
    }

    private func nextDelivery(timeoutSeconds: Double) throws -> Delivery? {
        do throws(AMQPError) {
            guard let delivery = try connection.nextDelivery(timeoutSeconds: timeoutSeconds) else { return nil }
            try connection.ack(delivery.deliveryTag)
            return delivery
        } catch {
            throw ClientError("the connection was lost: \(error)")
        }
    }
}

extension AMQP.Connection {
    /// The next delivery; nil when none came in time.
    mutating func nextDelivery(timeoutSeconds: Double) throws(AMQPError) -> Delivery? {
        let deadline = monotonicSeconds() + timeoutSeconds
        while true {
            let left = deadline - monotonicSeconds()
            guard let event = try receive(timeoutMilliseconds: Int(min(max(0, left), 3_600) * 1_000)) else {
                if left <= 0 { return nil }
                continue
            }
            switch event {
            case .delivery(let delivery): return delivery
            case .consumerCancelled(let tag): throw AMQPError(.channel, "the broker cancelled consumer \(tag)")
            case .blocked, .unblocked, .returned: continue
            }
        }
    }
}

private func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
