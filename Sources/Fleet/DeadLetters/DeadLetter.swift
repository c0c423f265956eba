internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs

/// A job that is given up, as it is kept: without the secret of its credential, without secrets in its body, and of what is too large or a
/// stranger's no more than the beginning.
final class DeadLetter: Sendable {
    /// What is kept of a body that is not kept whole.
    static let keptBytes = 4_096

    let id: String
    let rejection: Rejection
    let kind: String
    /// `""` where the job came without a credential's key.
    let key: String
    let account: String
    let attempts: Int64
    let failedAt: Int64
    /// The body, if it is not kept as it came.
    private let body: [UInt8]?
    private let isCut: Bool
    let redacted: [String]
    /// Hexadecimal digits; nil: it is replayed only with a credential given.
    let seal: String?

    /// - Parameter seal: nil: it is not sealed.
    init(_ job: FinishedJob, _ rejection: Rejection, seal: Seal?) {
        let delivery = job.delivery
        self.rejection = rejection
        id = Self.makeID()
        kind = job.kind?.name ?? delivery.routingKey
        key = job.sender?.key ?? delivery.claimedKey ?? ""
        account = job.sender?.account ?? ""
        attempts = RetryLadder.attempt(delivery)
        failedAt = SystemClock.nowMicroseconds()
        let isCut = delivery.isBodyCut || job.isStrangers && delivery.body.count > Self.keptBytes
        self.isCut = isCut
        // What nobody knows may hold anything.
        let isStrict = job.kind?.takesPassword ?? true
        let remainder = delivery.withBody { body in
            let seen = isCut ? UnsafeRawBufferPointer(rebasing: body.prefix(Self.keptBytes)) : body
            return Redaction.remainder(of: seen, isStrict: isStrict)
        }
        redacted = remainder?.pointers ?? []
        let kept = remainder?.body ?? (isCut ? Array(delivery.body.prefix(Self.keptBytes)) : nil)
        body = kept
        let isWhole = !isCut && !redacted.contains("")
        guard let seal, let sender = job.sender, isWhole else {
            self.seal = nil
            return
        }
        self.seal = seal.code(of: delivery, key: sender.key)
    }

    static func makeID() -> String { UUID().uuidString.lowercased() }

    /// Without the credential, also where its header's name is not written as it should be.
    static func withoutCredential(_ headers: FieldTable) -> FieldTable {
        var headers = headers
        for (name, _) in headers.entries where name.lowercased() == Header.authorization.name { headers[name] = nil }
        return headers
    }

    /// What goes to the dead-letter exchange.
    func message(of delivery: Delivery) -> Publisher.OutgoingMessage {
        var properties = delivery.republishableProperties
        var headers = Self.withoutCredential(properties.headers)
        headers[Header.retryDelay.name] = nil
        headers[Header.letter.name] = .text(id)
        headers[Header.errorCode.name] = .text(rejection.code.rawValue)
        headers[Header.errorMessage.name] = .text(rejection.message)
        headers[Header.errorField.name] = rejection.field.map { .text($0) }
        headers[Header.kind.name] = .text(kind)
        headers[Header.attempts.name] = .int(attempts)
        headers[Header.failedAt.name] = .text(RFC3339.text(failedAt))
        headers[Header.bodyBytes.name] = isCut ? .int(Int64(delivery.bodyBytes)) : nil
        headers[Header.key.name] = key.isEmpty ? nil : .text(key)
        headers[Header.seal.name] = seal.map { .text($0) }
        headers[Header.redacted.name] = redacted.isEmpty ? nil : .text(redacted.joined(separator: " "))
        properties.headers = headers
        return Publisher.OutgoingMessage(
            exchange: Topology.deadExchange, routingKey: delivery.routingKey, properties: properties,
            body: body.map { .bytes($0) } ?? .delivery(delivery), isMandatory: true)
    }
}

extension Delivery {
    /// The key of the credential that it came with, or for which it is sealed, as far as it may be shown; nobody has looked whether it holds.
    var claimedKey: String? {
        let key = headerText(Header.authorization.constant).map { Bearer($0)?.key } ?? headerText(Header.key.constant)
        guard let key, key.utf8.count <= 64, PrintableText.isPrintable(key) else { return nil }
        return key
    }
}
