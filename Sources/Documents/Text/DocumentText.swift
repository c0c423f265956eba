/// One paragraph, list, table, row, record or code block, in the order of the document.
public struct TextBlock: Sendable, Hashable {
    /// The headings above the block, outermost first.
    public var headingPath: [String]
    /// The block's text without markup; never empty, never with NUL.
    public var text: String

    public init(headingPath: [String] = [], text: String) {
        self.headingPath = headingPath
        self.text = text
    }
}

/// A document's text, without its format.
///
/// Headings and blocks lie one after the other in one array, so that a document of a million short rows takes not much more than their bytes.
public struct DocumentText: Sendable, Hashable {
    /// The title that the document gives itself, if it does.
    public internal(set) var title: String?
    private(set) var bytes: [UInt8] = []
    private(set) var parts: [Part] = []

    /// A heading or a block.
    struct Part: Sendable, Hashable {
        /// Where its text ends; it begins where that of the part before ends. A block without text is a heading with nothing beneath it.
        let end: UInt32
        /// The heading above it, as its place among the parts and one more; 0: none. The highest bit says that the part is a heading itself.
        private let bits: UInt32

        private static let headingBit: UInt32 = 1 << 31

        init(end: Int, below heading: Int?, isHeading: Bool) {
            self.end = UInt32(end)
            bits = UInt32(heading.map { $0 + 1 } ?? 0) | (isHeading ? Self.headingBit : 0)
        }

        var isHeading: Bool { bits & Self.headingBit != 0 }
        var heading: Int? { bits & ~Self.headingBit == 0 ? nil : Int(bits & ~Self.headingBit) - 1 }
    }

    /// Bytes of all headings and blocks, each once.
    public var byteCount: Int { bytes.count }

    /// Every block with its headings.
    public var blocks: [TextBlock] {
        parts.indices.filter { !parts[$0].isHeading }.map { TextBlock(headingPath: headingPath(of: $0), text: text(of: $0)) }
    }

    /// The headings above a part, outermost first.
    func headingPath(of part: Int) -> [String] {
        var path: [String] = []
        var next = parts[part].heading
        while let heading = next {
            path.append(String(decoding: bytes[range(of: heading)], as: UTF8.self))
            next = parts[heading].heading
        }
        return path.reversed()
    }

    /// A block's text.
    func text(of part: Int) -> String {
        let own = range(of: part)
        let range = own.isEmpty ? parts[part].heading.map { self.range(of: $0) } ?? own : own
        return String(decoding: bytes[range], as: UTF8.self)
    }

    private func range(of part: Int) -> Range<Int> {
        (part == 0 ? 0 : Int(parts[part - 1].end))..<Int(parts[part].end)
    }

    mutating func append(_ text: some Sequence<UInt8>, below heading: Int?, isHeading: Bool = false) {
        bytes.append(contentsOf: text)
        parts.append(Part(end: bytes.count, below: heading, isHeading: isHeading))
    }
}

/// A document's text cannot be read. The document is at fault, so a retry does not help.
public struct ExtractionError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    /// Where the fault lies, in bytes from the beginning of the document.
    public var location: Int?
    /// Whether nothing is wrong with the document but how much comes out of it.
    public var isTooLarge = false

    public init(_ message: String, at location: Int? = nil) {
        self.message = message
        self.location = location
    }

    static func tooLarge(_ what: String, most: Int) -> ExtractionError {
        var error = ExtractionError("\(what) would be more than \(most) bytes")
        error.isTooLarge = true
        return error
    }

    public var description: String { location.map { "\(message) (at byte \($0))" } ?? message }
}
