/// The immutable name of an account or a tenant: `^[a-z][a-z0-9-]{1,39}$`, unique over the platform (contract, section 4).
public enum Slug {
    public static let lengths = 2...40
    static let pattern = "^[a-z][a-z0-9-]{1,39}$"
    static let schema: JSONValue = ["type": "string", "pattern": .string(pattern)]

    public static func isValid(_ text: String) -> Bool {
        isWord(text.utf8, lengths: lengths)
    }

    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        isWord(bytes, lengths: lengths)
    }

    /// A small letter, then small letters, digits and hyphens.
    static func isWord(_ bytes: some Collection<UInt8>, lengths: ClosedRange<Int>) -> Bool {
        guard lengths.contains(bytes.count), let first = bytes.first, Ascii.isLowercase(first) else { return false }
        return bytes.allSatisfy { Ascii.isLowercase($0) || Ascii.isDigit($0) || $0 == Ascii.minus }
    }
}
