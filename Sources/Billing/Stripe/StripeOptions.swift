public import Postgres

/// How invoices reach Stripe.
public struct StripeOptions: Sendable {
    /// Where its REST API is: `https://api.stripe.com`.
    public let url: String
    /// The platform's secret key. Kept out of every log and description.
    let key: String
    /// Days from an invoice's being made final to its being due.
    public var daysUntilDue: Int
    /// How long a request may take; its outcome is unknown then, and it is sent again under the same idempotency key.
    public var timeoutSeconds: Int
    /// Invoices that are under way at once.
    public var parallel: Int
    public var database: ConnectionOptions

    /// - Throws: ``StripeOptionsError`` where the URL is none, or would send the key in the clear over a network.
    public init(
        url: String = Self.standardURL, key: String, daysUntilDue: Int = 14, timeoutSeconds: Int = 30, parallel: Int = 4,
        database: ConnectionOptions
    ) throws(StripeOptionsError) {
        self.url = try Self.checked(url)
        self.key = key
        self.daysUntilDue = daysUntilDue
        self.timeoutSeconds = timeoutSeconds
        self.parallel = parallel
        self.database = database
        // It becomes a header.
        guard !key.isEmpty, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw StripeOptionsError(setting: "key", description: "has blanks or other than ASCII characters")
        }
    }

    public static let standardURL = "https://api.stripe.com"

    /// How long an invoice stays with the worker that took it. Each step, two requests at most, renews it.
    var leaseSeconds: Double { Double(2 * timeoutSeconds + 5) }

    /// `scheme://host[:port][/path]` without a slash at its end. Over plain http only to this very machine.
    private static func checked(_ url: String) throws(StripeOptionsError) -> String {
        var text = Substring(url)
        while text.last == "/" { text.removeLast() }
        let hasBadCharacter = !text.utf8.allSatisfy { (0x21...0x7E).contains($0) } || text.contains { "?#@".contains($0) }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !hasBadCharacter, let host = host(parts[1]), !host.isEmpty else {
            throw StripeOptionsError(setting: "url", description: "must be a URL such as \(standardURL)")
        }
        switch parts[0] {
        case "https": break
        case "http":
            guard isLoopback(host) else {
                throw StripeOptionsError(
                    setting: "url", description: "must be https: the key would go over the network in the clear")
            }
        default: throw StripeOptionsError(setting: "url", description: "must be an https URL such as \(standardURL)")
        }
        return String(text)
    }

    private static func host(_ rest: Substring) -> Substring? {
        let authority = rest.prefix { $0 != "/" }
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            return authority[authority.index(after: authority.startIndex)..<end]
        }
        return authority.prefix { $0 != ":" }
    }

    private static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}

/// What is wrong with a setting.
public struct StripeOptionsError: Error, CustomStringConvertible {
    /// `url` or `key`.
    public let setting: String
    public let description: String
}

extension StripeOptions: CustomStringConvertible, CustomReflectable {
    public var description: String { "Stripe at \(url)" }
    public var customMirror: Mirror { Mirror(self, children: ["url": url]) }
}
