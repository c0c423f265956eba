internal import AMQP
internal import Contract
internal import Crypto

/// Says of a dead letter that its job came with a credential that held, so that it can be replayed without the credential's secret.
///
/// HMAC-SHA-256 under a secret that workers alone may read. Whoever has a letter can send the very same job again, and nothing else.
struct Seal: Sendable {
    private let key: SymmetricKey

    init(secret: [UInt8]) {
        key = SymmetricKey(data: secret)
    }

    /// In hexadecimal digits.
    func code(of delivery: Delivery, key sender: String, body: UnsafeRawBufferPointer) -> String {
        Array(authentication(of: delivery, key: sender, body: body).finalize()).hexadecimal
    }

    /// Whether this is the job that the code was made for. A body that was redacted then, and is whole again, is compared without its secrets.
    func holds(_ code: String, for delivery: Delivery, key sender: String) -> Bool {
        let expected = delivery.withBody { body in
            let isRestored = delivery.header(Header.redacted.constant) != nil
            guard isRestored, let rest = Redaction.remainder(of: body) else {
                return self.code(of: delivery, key: sender, body: body)
            }
            return rest.body.withUnsafeBytes { self.code(of: delivery, key: sender, body: $0) }
        }
        return Array(expected.utf8).isEqualInConstantTime(to: Array(code.utf8))
    }

    private func authentication(of delivery: Delivery, key sender: String, body: UnsafeRawBufferPointer) -> HMAC<SHA256> {
        var authentication = HMAC<SHA256>(key: key)
        func add(_ bytes: UnsafeRawBufferPointer) {
            // Each part with its length before it, so that no two jobs give the same bytes.
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { authentication.update(data: $0) }
            authentication.update(data: bytes)
        }
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        Array(sender.utf8).withUnsafeBytes { add($0) }
        add(delivery.routingKeyBytes)
        add(delivery.messageIDBytes ?? empty)
        add(delivery.header(Header.tenant.constant) ?? empty)
        add(body)
        return authentication
    }
}

extension [UInt8] {
    /// Whether these are the same bytes: the delay of the answer tells nothing of where they differ.
    func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in indices { difference |= self[index] ^ other[index] }
        return difference == 0
    }
}
