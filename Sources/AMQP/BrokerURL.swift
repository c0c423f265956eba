/// Where a broker is and how to log in: `amqp://user:password@host:port/vhost?parameters`, or `amqps` for TLS.
///
/// The password is never part of a description. Query parameters as in RabbitMQ's
/// [URI specification](https://www.rabbitmq.com/uri-query-parameters.html): `heartbeat` (seconds), `connection_timeout` (milliseconds),
/// `cacertfile`, `certfile`, `keyfile`, `verify` (`verify_peer`, the default, or `verify_none`). Others are ignored.
public struct BrokerURL: Sendable, Hashable {
    public var usesTLS = false
    public var user = "guest"
    var password = "guest"
    public var host = "localhost"
    public var port = 5672
    public var virtualHost = "/"
    public var heartbeatSeconds: Int?
    public var connectTimeoutMilliseconds = 10_000
    public var authorityFile: String?
    public var certificateFile: String?
    public var keyFile: String?
    public var verifiesPeer = true

    /// Parses a URL. A missing part takes RabbitMQ's default: `guest:guest`, `localhost`, 5672 or 5671, virtual host `/`.
    ///
    /// - Throws: ``AMQPError`` of kind `usage`; its message quotes no part that could hold the password.
    public init(_ url: String) throws(AMQPError) {
        var rest = Substring(url)
        if rest.hasPrefix("amqps://") {
            usesTLS = true
            port = 5671
        } else if !rest.hasPrefix("amqp://") {
            throw Self.malformed("the scheme must be amqp:// or amqps://")
        }
        rest = rest.dropFirst(usesTLS ? 8 : 7)
        let (beforeQuery, query) = Self.split(rest, at: "?")
        let (authority, path) = Self.split(beforeQuery, at: "/")
        try parse(authority: authority)
        if let path, !path.isEmpty { virtualHost = try Self.decoded(path, "virtual host") }
        for parameter in (query ?? "").split(separator: "&") {
            let (name, value) = Self.split(parameter, at: "=")
            try parse(parameter: name, value: try Self.decoded(value ?? "", name))
        }
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw Self.malformed("certfile and keyfile must be given together")
        }
    }

    /// Whether what is sent there can be read on the way: another machine, without TLS.
    public var isUnprotected: Bool {
        let parts = host.split(separator: ".")
        let isLoopback = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        return !usesTLS && !isLoopback && host != "localhost" && host != "::1"
    }

    private mutating func parse(authority: Substring) throws(AMQPError) {
        var hostAndPort = authority
        if let at = authority.lastIndex(of: "@") {
            let (user, password) = Self.split(authority[..<at], at: ":")
            if !user.isEmpty { self.user = try Self.decoded(user, "user") }
            if let password { self.password = try Self.decoded(password, "password") }
            hostAndPort = authority[authority.index(after: at)...]
        }
        var portText: Substring?
        if hostAndPort.hasPrefix("[") {
            guard let end = hostAndPort.firstIndex(of: "]") else { throw Self.malformed("an IPv6 address ends with ]") }
            host = String(hostAndPort[hostAndPort.index(after: hostAndPort.startIndex)..<end])
            let after = hostAndPort[hostAndPort.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw Self.malformed("only a port may follow ]") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let (name, number) = Self.split(hostAndPort, at: ":")
            if !name.isEmpty { host = try Self.decoded(name, "host") }
            portText = number
        }
        guard let portText else { return }
        guard let number = UInt16(portText), number > 0 else { throw Self.malformed("the port must be a number from 1 to 65535") }
        port = Int(number)
    }

    private mutating func parse(parameter: Substring, value: String) throws(AMQPError) {
        switch parameter {
        case "heartbeat":
            guard let seconds = UInt16(value) else { throw Self.malformed("heartbeat must be seconds from 0 to 65535") }
            heartbeatSeconds = Int(seconds)
        case "connection_timeout":
            guard let milliseconds = Int32(value), milliseconds > 0 else {
                throw Self.malformed("connection_timeout must be milliseconds above 0")
            }
            connectTimeoutMilliseconds = Int(milliseconds)
        case "cacertfile": authorityFile = value
        case "certfile": certificateFile = value
        case "keyfile": keyFile = value
        case "verify":
            guard value == "verify_peer" || value == "verify_none" else {
                throw Self.malformed("verify must be verify_peer or verify_none")
            }
            verifiesPeer = value == "verify_peer"
        default: break
        }
    }
}

extension BrokerURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL without its password and parameters.
    public var description: String {
        let shownHost = host.contains(":") ? "[\(host)]" : host
        return "\(usesTLS ? "amqps" : "amqp")://\(Self.encoded(user))@\(shownHost):\(port)/\(Self.encoded(virtualHost))"
    }
    public var debugDescription: String { description }
    /// Shows the description alone, so that `dump` does not print the password either.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

extension BrokerURL {
    private static func malformed(_ reason: String) -> AMQPError { AMQPError(.usage, "malformed broker URL: \(reason)") }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Percent-decodes; the result must be UTF-8 without NUL, because it goes to C as a string.
    private static func decoded(_ text: Substring, _ part: some StringProtocol) throws(AMQPError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal) else {
                throw malformed("% must be followed by two hexadecimal digits in the \(part)")
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0), let string = String(validating: bytes, as: UTF8.self) else {
            throw malformed("the \(part) must be UTF-8 without NUL")
        }
        return string
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        Character(Unicode.Scalar(digit)).hexDigitValue.map(UInt8.init)
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || "-._~".contains(character) {
                return String(character)
            }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
