/// The formats a corpus takes in.
public enum MediaType: Sendable, Hashable, CaseIterable {
    case plain, markdown, html, json, csv

    /// Reads a media type such as `text/html` or `Text/Markdown; charset=UTF-8`.
    ///
    /// Case and parameters do not matter: every document is UTF-8 (RFC 9110, section 8.3.1). `nil` for a type that is not taken.
    public init?(_ mediaType: String) {
        let essence = mediaType.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        guard let match = Self.allCases.first(where: { $0.name == essence }) else { return nil }
        self = match
    }

    /// The registered name, lower case, without parameters.
    public var name: String {
        switch self {
        case .plain: "text/plain"
        case .markdown: "text/markdown"
        case .html: "text/html"
        case .json: "application/json"
        case .csv: "text/csv"
        }
    }
}
