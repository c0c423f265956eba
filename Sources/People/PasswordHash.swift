internal import Crypto
internal import CryptoExtras
internal import Foundation

/// A password as it is kept: scrypt (RFC 7914) with a salt of its own, and everything needed to check it, in one text:
/// `scrypt$<log2 of N>$<r>$<p>$<salt>$<hash>`, the last two in base64.
public struct PasswordHash: Sendable, Equatable {
    /// What a guess costs.
    public struct Cost: Sendable, Equatable {
        /// N is 2 to this power.
        public let logRounds: Int
        /// r
        public let blockSize: Int
        /// p
        public let parallelism: Int

        /// 32 MiB and a tenth of a second or two.
        /// Source: [OWASP Password Storage Cheat Sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt).
        public static let standard = Cost(logRounds: 15, blockSize: 8, parallelism: 3)
        /// A stored text that asks for more than this is not one of ours.
        fileprivate var isBearable: Bool {
            (1...20).contains(logRounds) && (1...16).contains(blockSize) && (1...16).contains(parallelism)
        }
    }

    private static let scheme = "scrypt"
    private static let saltBytes = 16
    private static let hashBytes = 32

    let cost: Cost
    let salt: [UInt8]
    let hash: [UInt8]

    /// A new hash of a password, under a new salt.
    public init(of password: String) throws {
        try self.init(of: password, cost: .standard)
    }

    init(of password: String, cost: Cost) throws {
        self.cost = cost
        var generator = SystemRandomNumberGenerator()
        salt = (0..<Self.saltBytes).map { _ in generator.next() }
        hash = try Self.derive(Self.prepared(password), salt: salt, cost: cost, byteCount: Self.hashBytes)
    }

    /// nil where the text is not of our making.
    public init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == Self.scheme, let logRounds = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Data(base64Encoded: String(parts[4])), !salt.isEmpty,
            let hash = Data(base64Encoded: String(parts[5])), hash.count == Self.hashBytes
        else { return nil }
        cost = Cost(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism)
        guard cost.isBearable else { return nil }
        self.salt = Array(salt)
        self.hash = Array(hash)
    }

    /// Whether this is the password; in a time that does not depend on where it differs.
    public func matches(_ password: String) throws -> Bool {
        let derived = try Self.derive(Self.prepared(password), salt: salt, cost: cost, byteCount: hash.count)
        // Keys are compared in constant time, arrays are not.
        return SymmetricKey(data: derived) == SymmetricKey(data: hash)
    }

    /// As long a look at a password as ``matches(_:)`` takes, where there is nothing that it could match.
    static func pretendToCheck(_ password: String) throws {
        let salt = [UInt8](repeating: 0, count: saltBytes)
        _ = try derive(prepared(password), salt: salt, cost: .standard, byteCount: hashBytes)
    }

    static func derive(_ password: [UInt8], salt: [UInt8], cost: Cost, byteCount: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: byteCount, rounds: 1 << cost.logRounds, blockSize: cost.blockSize,
            parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    /// Keyboards compose letters in more than one way (RFC 8265, section 4.2). No password is empty, and none holds NUL: that stands for none.
    private static func prepared(_ password: String) -> [UInt8] {
        password.isEmpty ? [0] : Array(password.precomposedStringWithCanonicalMapping.utf8)
    }
}

extension PasswordHash: CustomStringConvertible {
    /// The text to be kept.
    public var description: String {
        let numbers = "\(cost.logRounds)$\(cost.blockSize)$\(cost.parallelism)"
        return "\(Self.scheme)$\(numbers)$\(Data(salt).base64EncodedString())$\(Data(hash).base64EncodedString())"
    }
}
