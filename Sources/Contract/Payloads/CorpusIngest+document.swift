internal import FoundationEssentials

extension CorpusIngest {
    /// One document, its content as text or in base64.
    public struct Document: Sendable, Equatable {
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

        /// The content's bytes, whichever way they came; empty where base64 is invalid, which `validate` refuses.
        public var contentBytes: [UInt8] {
            if let content { return Array(content.utf8) }
            return contentBase64.flatMap { Self.bytes(ofBase64: $0) }.map { Array($0) } ?? []
        }

        /// Foundation takes padding of any length, even alone.
        private static func bytes(ofBase64 text: String) -> Data? {
            guard text.utf8.count.isMultiple(of: 4), !text.utf8.dropLast(2).contains(UInt8(ascii: "=")) else { return nil }
            return Data(base64Encoded: text)
        }

        /// The content's bytes where they lie, so that a text is not copied only to be looked at.
        public func withContentBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            guard var text = content else { return contentBytes.withUnsafeBytes(body) }
            return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        }

        /// `^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`, at most 35 bytes: the shape of RFC 5646, not its registry.
        private static func isLanguageTag(_ text: String) -> Bool {
            let parts = text.utf8.split(separator: Ascii.minus, omittingEmptySubsequences: false)
            return text.utf8.count <= 35 && parts.allSatisfy { (1...8).contains($0.count) }
                && parts[0].allSatisfy { Ascii.isLetter($0) }
                && parts.dropFirst().allSatisfy { $0.allSatisfy { Ascii.isLetter($0) || Ascii.isDigit($0) } }
        }

        static let fields = Fields(Document(externalID: "", title: "", mediaType: ""), rules: [oneContent]) {
            Field("external_id", \.externalID, .text(1...128))
            Field("title", \.title, .text(1...1_000))
            Field("media_type", \.mediaType, mediaType)
            Field("content", \.content, .anyText)
            Field("content_base64", \.contentBase64, base64)
            Field("language", \.language, language)
            Field("segment", \.segment, .text(1...128))
            Field("priority", \.priority, priority)
            Field("tags", \.tags, .list(.anyText))
            Field("metadata", \.metadata, .metadata)
        }

        private static let mediaType = FieldType<String>.anyText.checked(
            "is not supported; it must be one of \(MediaType.supported.joined(separator: ", "))",
            schema: ["examples": .array(MediaType.supported.map { .string($0) })]
        ) { MediaType.isSupported($0) }

        private static let base64 = FieldType<String>.anyText.checked("is not base64", schema: ["contentEncoding": "base64"]) {
            bytes(ofBase64: $0) != nil
        }

        private static let language = FieldType<String>.anyText.checked(
            "must be a language tag such as de-CH", schema: Schema.text(1...35)
        ) { isLanguageTag($0) }

        private static let priority = FieldType<Int32>.anyInteger.schema(
            ["minimum": .int(Int64(Int32.min)), "maximum": .int(Int64(Int32.max))])

        private static let oneContent = FieldRule<Document>(
            schema: Schema.exactlyOne(of: ["content", "content_base64"]), before: "content"
        ) { document throws(FieldFailure) in
            guard (document.content == nil) != (document.contentBase64 == nil) else {
                throw FieldFailure("must be given, or content_base64, but not both").at("content")
            }
        }
    }
}

extension FieldType<[CorpusIngest.Document]> {
    /// So many documents, each `external_id` once.
    static func documents(_ counts: ClosedRange<Int>) -> FieldType {
        .list(.object(CorpusIngest.Document.fields), counts, eachOnce: "external_id") { $0.externalID }
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
