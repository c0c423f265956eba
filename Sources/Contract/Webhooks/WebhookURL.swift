/// Where a webhook is called: an `https` or `http` URL of a strict form, so that whoever reads it later reads the same host and port in it.
/// Whether the host may be called is not said here.
public struct WebhookURL: Sendable, Equatable {
    /// As it was given, but for scheme and host, which are in small letters: whoever compares hosts compares the same letters.
    public let text: String
    /// `https`, else `http`.
    public let isSecure: Bool
    /// A name or an address in small letters; an IPv6 address without its brackets.
    public let host: String
    public let port: Int

    static let mostBytes = 2_048
    /// The same for a schema, but for the numbers that a port can be, and for a whole name's length.
    static let pattern =
        #"^[hH][tT][tT][pP][sS]?://(\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]|[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*)(:[0-9]{1,5})?"#
        + #"([/?](%[0-9a-fA-F]{2}|[\]!$&'()*+,./0-9:;=?@A-Z\[_a-z~-])*)?$"#

    public init?(_ text: String) { try? self.init(checking: text) }

    /// - Throws: what is wrong with it.
    init(checking text: String) throws(FieldFailure) {
        guard (1...Self.mostBytes).contains(text.utf8.count) else {
            throw FieldFailure("must have 1 to \(Self.mostBytes) bytes")
        }
        guard text.utf8.allSatisfy(Self.isAllowed) else {
            throw FieldFailure(
                "must be a URL of visible ASCII characters, with others percent-encoded and other letters of a host in its xn-- form"
            )
        }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let isSecure = Self.schemes[parts[0].lowercased()] else {
            throw FieldFailure("must begin with https://")
        }
        guard !text.utf8.contains(UInt8(ascii: "#")) else { throw FieldFailure("must have no fragment (#…)") }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw FieldFailure("must hold no user name and no password") }
        guard Self.isPercentEncoded(parts[1].dropFirst(authority.count)) else {
            throw FieldFailure("has a % that two hexadecimal digits do not follow")
        }
        guard let (host, port) = Self.split(authority), Self.isHost(host) else {
            throw FieldFailure("must name a host, such as https://hooks.example.com/tenantry")
        }
        self.text = parts[0].lowercased() + "://" + authority.lowercased() + parts[1].dropFirst(authority.count)
        self.isSecure = isSecure
        self.host = host.lowercased()
        guard let port else {
            self.port = isSecure ? 443 : 80
            return
        }
        guard port.utf8.count <= 5, port.utf8.allSatisfy(Ascii.isDigit), let number = UInt16(port), number > 0 else {
            throw FieldFailure("must have a port from 1 to 65535, or none")
        }
        self.port = Int(number)
    }

    private static let schemes = ["https": true, "http": false]

    /// Visible ASCII without what RFC 3986 leaves out.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !#""<>\^`{|}"#.utf8.contains(byte)
    }

    private static func isPercentEncoded(_ text: Substring) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
        return parts.dropFirst().allSatisfy { $0.count >= 2 && $0.prefix(2).allSatisfy(isHexadecimal) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        Ascii.isDigit(byte) || "abcdefABCDEF".utf8.contains(byte)
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?)? {
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard host.contains(":"), rest.isEmpty || rest.first == ":" else { return nil }
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }

    /// An IPv6 address without a zone, or a name or IPv4 address: labels of letters, digits, `-` and `_`.
    private static func isHost(_ host: Substring) -> Bool {
        if host.contains(":") {
            return host.utf8.allSatisfy { isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        }
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { Ascii.isLetter($0) || Ascii.isDigit($0) || "-_".utf8.contains($0) }
            }
    }
}

extension FieldType<String> {
    static let webhookURL = FieldType(
        schema: [
            "type": "string", "format": "uri", "pattern": .string(WebhookURL.pattern),
            "maxLength": .int(Int64(WebhookURL.mostBytes)),
        ],
        read: anyText.read, write: anyText.write,
        check: { text throws(FieldFailure) in _ = try WebhookURL(checking: text) })
}
