/// Text of others on its way to a terminal or a log: what would move the cursor, change colours or begin a line of its own is written out.
public enum PrintableText {
    /// Whether a character shows itself: no control character, no end of a line or paragraph, and nothing that turns the direction of what
    /// follows (which can make a name read as another).
    /// Source: [Unicode, general category](https://www.unicode.org/reports/tr44/#General_Category_Values),
    /// [bidirectional controls](https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters).
    public static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E: true
        case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0x061C, 0xFEFF: false
        default: true
        }
    }

    public static func isPrintable(_ text: some StringProtocol) -> Bool { text.unicodeScalars.allSatisfy { isPrintable($0) } }

    /// The text with what does not show itself as JSON writes it (`\u001b`), so that a JSON document stays the same document.
    ///
    /// - Parameter keepsLines: whether line feeds and tabs stay.
    public static func escaped(_ text: String, keepsLines: Bool) -> String {
        func stays(_ scalar: Unicode.Scalar) -> Bool { isPrintable(scalar) || keepsLines && (scalar == "\n" || scalar == "\t") }
        guard !text.unicodeScalars.allSatisfy(stays) else { return text }
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if stays(scalar) {
                escaped.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16)
                escaped.append(contentsOf: (#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
            }
        }
        return String(escaped)
    }
}
