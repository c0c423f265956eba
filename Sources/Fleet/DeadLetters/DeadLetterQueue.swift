public import AMQP
internal import Contract
internal import Foundation

/// The dead-letter queue, for those who have to get at the letters themselves: to show, replay or discard one. Lists and counts read
/// ``DeadLetterRecord`` instead.
///
/// Letters are taken without acknowledgement and go back when the queue is closed, so what is not replayed or discarded stays.
public final class DeadLetterQueue {
    /// A job that was given up, and why.
    public struct Letter {
        public let delivery: Delivery
        /// The letter's own id; nil for one that no worker of this version wrote.
        public var id: String? {
            delivery.headerText(Header.letter.constant).flatMap { UUID(uuidString: $0) }.map { $0.uuidString.lowercased() }
        }
        public var jobID: String { delivery.messageID ?? "" }
        public var kind: String { delivery.headerText(Header.kind.constant) ?? delivery.routingKey }
        public var tenant: String? { delivery.headerText(Header.tenant.constant) }
        public var code: String { delivery.headerText(Header.errorCode.constant) ?? ErrorCode.unknownKind.rawValue }
        public var message: String { delivery.headerText(Header.errorMessage.constant) ?? "" }
        public var field: String? { delivery.headerText(Header.errorField.constant) }
        public var attempts: Int64 { delivery.headerInt(Header.attempts.constant) ?? 1 }
        public var failedAt: String? { delivery.headerText(Header.failedAt.constant) }
        /// The key of the credential that the job came with; `""` for none.
        public var key: String { delivery.claimedKey ?? "" }
        /// Whether it can be replayed without a credential.
        public var isSealed: Bool { delivery.header(Header.seal.constant) != nil }
        /// JSON Pointers to what was taken out of the body; `""` stands for all of it.
        public var redacted: [String] {
            guard let text = delivery.headerText(Header.redacted.constant) else { return [] }
            return text.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        }
        /// Whether only the beginning of the body was kept.
        public var isCut: Bool { delivery.headerInt(Header.bodyBytes.constant) != nil }
    }

    /// A letter that came back so often goes to the queue's end as a new message: a quorum queue may have a limit to that.
    private static let mostDeliveries: Int64 = 8

    private var connection: AMQP.Connection

    public init(_ broker: BrokerURL) throws(AMQPError) {
        connection = try AMQP.Connection(broker, name: "tenantry dead letters")
        try connection.enableConfirms()
    }

    /// How many letters lie there.
    public func count() throws(AMQPError) -> Int {
        try connection.inspectQueue(Topology.deadQueue)?.messageCount ?? 0
    }

    /// The next letter, oldest first; nil at the end.
    public func next() throws -> Letter? {
        while let delivery = try connection.get(Topology.deadQueue) {
            guard let count = delivery.headerInt("x-delivery-count"), count >= Self.mostDeliveries else {
                return Letter(delivery: delivery)
            }
            try rewrite(Letter(delivery: delivery)) { _ in }
        }
        return nil
    }

    /// Sends the job again as it first came, and removes the letter once the broker has it.
    ///
    /// - Parameters:
    ///   - credential: what the job is sent with, `<key>.<secret>`; nil: its seal.
    ///   - password: the value that was taken out of the body, if one was.
    /// - Throws: ``NotReplayed``, `AMQPError`; the letter stays then.
    public func replay(_ letter: Letter, credential: String? = nil, password: String? = nil) throws {
        func refusal(_ reason: NotReplayed.Reason) -> NotReplayed { NotReplayed(jobID: letter.jobID, reason: reason) }
        guard !letter.isCut, !letter.redacted.contains("") else { throw refusal(.bodyIsNotWhole) }
        guard credential != nil || letter.isSealed else { throw refusal(.needsCredential) }
        var body = letter.delivery.withBody { Array($0) }
        if !letter.redacted.isEmpty {
            guard letter.redacted == ["/password"], let password else { throw refusal(.needsPassword) }
            guard let whole = body.withUnsafeBytes({ Redaction.restored($0, ["password": password]) }) else {
                throw refusal(.bodyIsNotWhole)
            }
            body = whole
        }
        var properties = letter.delivery.republishableProperties
        properties.forgetFailure(keepsSeal: credential == nil)
        if let credential { properties.headers[Header.authorization.name] = .text("Bearer \(credential)") }
        try publish(Topology.jobsExchange, letter, properties, body, else: refusal(.wasNotTaken))
        try discard(letter)
    }

    /// Puts the letter to the queue's end as a new message, with other properties.
    func rewrite(_ letter: Letter, body: [UInt8]? = nil, _ change: (inout Properties) -> Void) throws {
        var properties = letter.delivery.republishableProperties
        properties.headers["x-delivery-count"] = nil
        change(&properties)
        try publish(
            Topology.deadExchange, letter, properties, body ?? letter.delivery.withBody { Array($0) },
            else: NotReplayed(jobID: letter.jobID, reason: .wasNotTaken))
        try discard(letter)
    }

    private func publish(
        _ exchange: String, _ letter: Letter, _ properties: Properties, _ body: [UInt8], else failure: NotReplayed
    ) throws {
        _ = try connection.publish(
            exchange: exchange, routingKey: letter.delivery.routingKey, properties: properties, body: body, mandatory: true)
        guard try connection.awaitConfirms(timeoutSeconds: 30).isSuccess else { throw failure }
    }

    /// Removes the letter for good.
    public func discard(_ letter: Letter) throws(AMQPError) {
        try connection.ack(letter.delivery.deliveryTag)
    }

    public func close() {
        connection.close()
    }

    /// Why a letter was not replayed.
    public struct NotReplayed: Error, CustomStringConvertible {
        public enum Reason: Sendable {
            case bodyIsNotWhole, needsCredential, needsPassword, wasNotTaken
        }

        public let jobID: String
        public let reason: Reason

        public var description: String {
            switch reason {
            case .bodyIsNotWhole:
                "job \(jobID) cannot be replayed: its body was too large, a stranger's, or not to be kept, and is not here whole"
            case .needsCredential:
                "job \(jobID) is not sealed, since its credential did not hold: name the one to send it with, by --token-file"
            case .needsPassword:
                "job \(jobID) came with a password, which is not kept: give it by --password-file"
            case .wasNotTaken: "job \(jobID) was not taken by any queue: is the topology declared?"
            }
        }
    }
}
