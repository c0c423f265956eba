internal import Crypto
internal import FoundationEssentials

/// What PostgreSQL keeps of a password. A statement that sets one holds this instead of the password, and so does the server's log.
///
/// Source: [RFC 5802](https://www.rfc-editor.org/rfc/rfc5802#section-3), and the form of
/// [pg_authid](https://www.postgresql.org/docs/15/catalog-pg-authid.html).
struct ScramVerifier {
    /// PostgreSQL's own default.
    private static let iterations = 4096

    let text: String

    /// - Parameter password: ASCII, because other text would have to be normalised first.
    init(_ password: String, salt: [UInt8] = (0..<16).map { _ in UInt8.random(in: 0...255) }) {
        let salted = Self.salted(Array(password.utf8), salt)
        let clientKey = Self.code(Array("Client Key".utf8), salted)
        let serverKey = Self.code(Array("Server Key".utf8), salted)
        let storedKey = Array(SHA256.hash(data: clientKey))
        text =
            "SCRAM-SHA-256$\(Self.iterations):\(Data(salt).base64EncodedString())$"
            + "\(Data(storedKey).base64EncodedString()):\(Data(serverKey).base64EncodedString())"
    }

    /// `Hi(password, salt, iterations)`: PBKDF2 with HMAC-SHA-256, of which one block is all that is needed.
    private static func salted(_ password: [UInt8], _ salt: [UInt8]) -> [UInt8] {
        var block = code(salt + [0, 0, 0, 1], password)
        var sum = block
        for _ in 1..<iterations {
            block = code(block, password)
            for index in sum.indices { sum[index] ^= block[index] }
        }
        return sum
    }

    private static func code(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}
