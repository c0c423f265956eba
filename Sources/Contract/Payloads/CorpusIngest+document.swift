internal import FoundationEssentials

extension CorpusIngest {
    /// One document, its content as text or in base64.
    public struct Document: Codable, Sendable, Equatable {
        /// 1 to 128 characters.
        public var externalID: String
        /// 1 to 1,000 characters.
        public var title: String
        /// As sent, parameters and all; `MediaType.essence(of:)` is what counts.
        public var mediaType: String
        public var content: String?
        /// RFC 4648, section 4, with padding.
        public var contentBase64: String?
        /// A BCP 47 tag.
        public var language: String?
        public var segment: String?
        public var priority: Int32?
        public var tags: [String]?
        public var metadata: [String: JSONValue]?

        public init(
            externalID: String, title: String, mediaType: String, content: String? = nil, contentBase64: String? = nil,
            language: String? = nil, segment: String? = nil, priority: Int32? = nil, tags: [String]? = nil,
            metadata: [String: JSONValue]? = nil
        ) {
            self.externalID = externalID
            self.title = title
            self.mediaType = mediaType
            self.content = content
            self.contentBase64 = contentBase64
            self.language = language
            self.segment = segment
            self.priority = priority
            self.tags = tags
            self.metadata = metadata
        }

        enum CodingKeys: String, CodingKey {
            case title, content, language, segment, priority, tags, metadata
            case externalID = "external_id"
            case mediaType = "media_type"
            case contentBase64 = "content_base64"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            externalID = try container.decode(String.self, forKey: .externalID)
            title = try container.decode(String.self, forKey: .title)
            mediaType = try container.decode(String.self, forKey: .mediaType)
            content = try container.decodeIfPresent(String.self, forKey: .content)
            contentBase64 = try container.decodeIfPresent(String.self, forKey: .contentBase64)
            language = try container.decodeIfPresent(String.self, forKey: .language)
            segment = try container.decodeIfPresent(String.self, forKey: .segment)
            priority = try container.decodeInteger(Int32.self, forKey: .priority)
            tags = try container.decodeIfPresent([String].self, forKey: .tags)
            metadata = try container.decodeIfPresent([String: JSONValue].self, forKey: .metadata)
        }

        /// The content's bytes, whichever way they came; empty where base64 is invalid, which `validate` refuses.
        public var contentBytes: [UInt8] {
            if let content { return Array(content.utf8) }
            return contentBase64.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
        }

        func validate(_ field: String) throws(Rejection) {
            try Rule.length(externalID, 1...128, "\(field)/external_id")
            try Rule.length(title, 1...1_000, "\(field)/title")
            try Rule.require(
                MediaType.isSupported(mediaType), "\(field)/media_type",
                "is not supported; it must be one of \(MediaType.supported.joined(separator: ", "))")
            try Rule.require(
                (content == nil) != (contentBase64 == nil), "\(field)/content", "must be given, or content_base64, but not both")
            if let contentBase64 {
                try Rule.require(Data(base64Encoded: contentBase64) != nil, "\(field)/content_base64", "is not base64")
            }
            if let language {
                try Rule.require(Self.isLanguageTag(language), "\(field)/language", "must be a language tag such as de-CH")
            }
            try Rule.length(segment, 1...128, "\(field)/segment")
        }

        /// `^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`, at most 35 bytes: the shape of RFC 5646, not its registry.
        private static func isLanguageTag(_ text: String) -> Bool {
            let parts = text.utf8.split(separator: Ascii.minus, omittingEmptySubsequences: false)
            return text.utf8.count <= 35 && parts.allSatisfy { (1...8).contains($0.count) }
                && parts[0].allSatisfy { Ascii.isLetter($0) }
                && parts.dropFirst().allSatisfy { $0.allSatisfy { Ascii.isLetter($0) || Ascii.isDigit($0) } }
        }

        static let schema: JSONValue = Schema.object(
            required: ["external_id", "title", "media_type"],
            [
                "external_id": Schema.text(1...128), "title": Schema.text(1...1_000),
                "media_type": Schema.anyText.mergePatch(["examples": .array(MediaType.supported.map { .string($0) })]),
                "content": Schema.optional(Schema.anyText),
                "content_base64": Schema.optional(["type": "string", "contentEncoding": "base64"]),
                "language": Schema.optional(Schema.text(1...35)), "segment": Schema.optional(Schema.text(1...128)),
                "priority": Schema.optional([
                    "type": "integer", "minimum": .int(Int64(Int32.min)), "maximum": .int(Int64(Int32.max)),
                ]),
                "tags": Schema.optional(Schema.list(Schema.anyText)), "metadata": Schema.anyObject,
            ]
        ).mergePatch(Schema.exactlyOne(of: ["content", "content_base64"]))
    }
}

/// The media types that the corpus takes (RFC 6838, RFC 9110 section 8.3.1).
public enum MediaType {
    public static let supported = ["text/plain", "text/markdown", "text/html", "application/json", "text/csv"]

    /// The type without its parameters, in small letters: `Text/HTML; charset=utf-8` is `text/html`.
    public static func essence(of text: String) -> String {
        let type = text.unicodeScalars.prefix { $0 != ";" }
        let trimmed = type.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        return String(String.UnicodeScalarView(trimmed)).lowercased()
    }

    public static func isSupported(_ text: String) -> Bool { supported.contains(essence(of: text)) }
}
