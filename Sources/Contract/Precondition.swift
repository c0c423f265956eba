/// What a job's header `if-match` asks for: the job is done only if what it changes is as its sender has seen it.
///
/// As the header of HTTP (RFC 9110, section 13.1.1): `*`, or entity tags in quotes, separated by commas.
public enum Precondition: Sendable, Equatable {
    /// `*`: what it changes must be there.
    case exists
    /// It must have one of these entity tags, which stand here without their quotes. Weak ones are left out: they never match.
    case oneOf([String])

    /// nil where the text is no such header.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        func skipBlanks() { while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 } }
        skipBlanks()
        if position < bytes.count, bytes[position] == UInt8(ascii: "*") {
            position += 1
            skipBlanks()
            guard position == bytes.count else { return nil }
            self = .exists
            return
        }
        var strong: [String] = []
        var count = 0
        while position < bytes.count {
            // An element of a list may be empty (RFC 9110, section 5.6.1).
            if bytes[position] == Ascii.comma {
                position += 1
                skipBlanks()
                continue
            }
            let isWeak = bytes[position...].starts(with: "W/".utf8)
            if isWeak { position += 2 }
            guard position < bytes.count, bytes[position] == Ascii.quote,
                let end = bytes[(position + 1)...].firstIndex(of: Ascii.quote)
            else { return nil }
            let tag = bytes[(position + 1)..<end]
            guard tag.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let text = String(validating: tag, as: UTF8.self) else {
                return nil
            }
            if !isWeak { strong.append(text) }
            count += 1
            position = end + 1
            skipBlanks()
            guard position == bytes.count || bytes[position] == Ascii.comma else { return nil }
        }
        guard count > 0 else { return nil }
        self = .oneOf(strong)
    }

    /// - Parameter present: the entity tags that what the job changes has now, without quotes; empty: it is not there.
    public func holds(for present: [String]) -> Bool {
        switch self {
        case .exists: !present.isEmpty
        case .oneOf(let tags): present.contains { tags.contains($0) }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
