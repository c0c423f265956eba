internal import AMQP
internal import Contract
internal import Crypto
internal import Jobs
internal import Postgres

/// Says of a dead letter that its job came with a credential that held, so that it can be replayed without the credential's secret.
///
/// HMAC-SHA-256 under a secret that workers alone may read. Whoever has a letter can send the very same job again, and nothing else: the code also
/// covers where the answer goes, and what was taken out of the body, which has to be put back as it was.
struct Seal: Sendable {
    private let key: SymmetricKey

    init(secret: [UInt8]) {
        key = SymmetricKey(data: secret)
    }

    /// In hexadecimal digits.
    func code(of delivery: Delivery, key sender: String) -> String {
        let remainder = delivery.withBody { Redaction.remainder(of: $0) }
        let parts = (remainder?.pointers ?? []).map { Array($0.utf8) } + (remainder?.values ?? [])
        if let body = remainder?.body {
            return body.withUnsafeBytes { code(of: delivery, key: sender, body: $0, parts) }
        }
        return delivery.withBody { code(of: delivery, key: sender, body: $0, parts) }
    }

    /// Whether this is the job that the code was made for.
    func holds(_ code: String, for delivery: Delivery, key sender: String) -> Bool {
        Array(self.code(of: delivery, key: sender).utf8).isEqualInConstantTime(to: Array(code.utf8))
    }

    private func code(
        of delivery: Delivery, key sender: String, body: UnsafeRawBufferPointer, _ removed: [[UInt8]]
    ) -> String {
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
        add(delivery.replyToBytes ?? empty)
        add(delivery.header(Header.tenant.constant) ?? empty)
        add(body)
        for part in removed { part.withUnsafeBytes { add($0) } }
        // What the job asks for goes with it. A name that no pointer into a body has, and only if there is one: older seals hold.
        if let precondition = delivery.header(Header.ifMatch.constant) {
            Array(Header.ifMatch.name.utf8).withUnsafeBytes { add($0) }
            add(precondition)
        }
        return Array(authentication.finalize()).hexadecimal
    }
}

/// The fleet's seal, read once it is needed.
final class SealStore {
    private var seal: Seal?

    func seal(from database: inout Postgres.Connection) throws(PostgresError) -> Seal {
        if let seal { return seal }
        let found = Seal(secret: try database.query(SQL.seal).only([UInt8].self))
        seal = found
        return found
    }

    enum SQL {
        static let seal: Statement = "select secret from tenantry.seal"
    }
}
