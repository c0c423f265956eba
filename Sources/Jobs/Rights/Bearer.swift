internal import Crypto

/// A credential as it travels: `Bearer <key>.<secret>`.
public struct Bearer: Sendable, Equatable {
    public let key: String
    public let secret: String

    /// nil unless the text is `<key>.<secret>`, with or without `Bearer ` before it.
    public init?(_ text: String) {
        var rest = text[...]
        if rest.lowercased().hasPrefix("bearer ") { rest = rest.dropFirst(7) }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[0].utf8.count <= 128, parts[1].utf8.count <= 256,
            // PostgreSQL's texts cannot hold NUL: a query for such a key would fail, and with it the whole batch.
            !parts[0].utf8.contains(0)
        else { return nil }
        key = String(parts[0])
        secret = String(parts[1])
    }

    private init(key: String, secret: String) {
        self.key = key
        self.secret = secret
    }

    /// A new credential: a key that may be shown and a secret of 256 random bits that is shown once.
    public static func make(prefix: String) -> Bearer {
        Bearer(key: prefix + "_" + randomText(bytes: 9), secret: randomText(bytes: 32))
    }

    /// SHA-256 of the secret: what the database keeps. The secret is random and long, so a slow hash would add nothing.
    public var secretHash: [UInt8] {
        Array(SHA256.hash(data: Array(secret.utf8)))
    }

    /// `<key>.<secret>`, as a producer is given it.
    public var token: String { "\(key).\(secret)" }

    private static func randomText(bytes count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_".utf8)
        // The alphabet has 64 characters, so six random bits choose each of them with the same probability.
        let characters = (0..<(count * 8 + 5) / 6).map { _ in alphabet[Int(generator.next() as UInt8) & 63] }
        return String(decoding: characters, as: UTF8.self)
    }
}
