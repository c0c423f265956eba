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
public struct DocumentText: Sendable, Hashable {
    /// The title that the document gives itself, if it does.
    public var title: String?
    public var blocks: [TextBlock]

    public init(title: String? = nil, blocks: [TextBlock]) {
        self.title = title
        self.blocks = blocks
    }
}

/// A document's text cannot be read. The document is at fault, so a retry does not help.
public struct ExtractionError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    /// Where the fault lies, in bytes from the beginning of the document.
    public var location: Int?

    public init(_ message: String, at location: Int? = nil) {
        self.message = message
        self.location = location
    }

    public var description: String { location.map { "\(message) (at byte \($0))" } ?? message }
}
