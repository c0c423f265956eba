extension FieldType<String> {
    /// A text of any length.
    static let anyText = FieldType(
        schema: ["type": "string"],
        read: { value throws(FieldFailure) in
            guard case .string(let text) = value else { throw mismatch("a string", value) }
            return text
        }, write: { .string($0) })

    /// A text of so many characters (Unicode scalars).
    static func text(_ lengths: ClosedRange<Int>) -> FieldType {
        anyText.checked("must have \(lengths.lowerBound) to \(lengths.upperBound) characters", schema: Schema.text(lengths)) {
            text in
            // Bytes first: no text has fewer bytes than scalars, and counting scalars of a long one is not free.
            text.utf8.count >= lengths.lowerBound && lengths.contains(text.unicodeScalars.count)
        }
    }

    static let displayName = text(1...200)
    static let plan = text(1...64)

    static let slug = anyText.checked("must be a slug: \(Slug.pattern)", schema: Slug.schema) { Slug.isValid($0) }

    static let slugPrefix = anyText.checked(
        "must begin a slug: \(Schema.slugPrefixPattern)", schema: Schema.slugPrefix
    ) { Slug.isWord($0.utf8, lengths: 1...39) }

    static let environment = anyText.checked(
        "must be a word such as production or staging", schema: Schema.pattern(Schema.environmentPattern)
    ) { Slug.isWord($0.utf8, lengths: 1...40) }

    /// The shape of an IANA time zone name; PostgreSQL knows which ones there are.
    static let timezone = anyText.checked("must be a time zone such as Europe/Zurich", schema: Schema.timezone) { text in
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { Ascii.isLetter($0) || Ascii.isDigit($0) || "_+/-".utf8.contains($0) }
    }

    /// `YYYY-MM`: the billing period that starts in this month.
    static let month = anyText.checked("must be a month such as 2026-11", schema: Schema.month) { text in
        let bytes = Array(text.utf8)
        let isShaped =
            bytes.count == 7 && bytes[4] == Ascii.minus && bytes[..<4].allSatisfy { Ascii.isDigit($0) }
            && bytes[5...].allSatisfy { Ascii.isDigit($0) }
        return isShaped && (1...12).contains((bytes[5] - Ascii.zero) * 10 + bytes[6] - Ascii.zero)
    }

    /// The shape of an address; whether it exists, only its reader knows.
    static let email = anyText.checked("must be an e-mail address of at most 254 bytes", schema: Schema.email) { text in
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 != 0x7F }
    }
}

extension FieldType<Bool> {
    static let boolean = FieldType(
        schema: Schema.boolean,
        read: { value throws(FieldFailure) in
            guard case .bool(let bool) = value else { throw mismatch("a boolean", value) }
            return bool
        }, write: { .bool($0) })
}

extension FieldType where Value: FixedWidthInteger {
    /// A whole number that the Swift type holds; 12.0 is one, too.
    static var anyInteger: FieldType {
        FieldType(
            schema: ["type": "integer"],
            read: { value throws(FieldFailure) in
                guard case .int(let whole) = value, let fitting = Value(exactly: whole) else {
                    switch value {
                    case .int, .double: throw FieldFailure("must be an integer from \(Value.min) to \(Value.max)")
                    default: throw mismatch("an integer", value)
                    }
                }
                return fitting
            }, write: { .int(Int64($0)) })
    }

    static func integer(_ range: ClosedRange<Value>, _ message: String? = nil) -> FieldType {
        anyInteger.checked(
            message ?? "must be \(range.lowerBound) to \(range.upperBound)",
            schema: ["minimum": .int(Int64(range.lowerBound)), "maximum": .int(Int64(range.upperBound))]
        ) { range.contains($0) }
    }

    static var anchorDay: FieldType { integer(1...31, "must be a day of the month, 1 to 31") }

    /// Counts, for what we write and others read.
    static var count: FieldType { anyInteger.schema(["minimum": 0]) }
}

extension FieldType<Instant> {
    static let instant = FieldType(
        schema: Instant.schema,
        read: { value throws(FieldFailure) in
            guard case .string(let text) = value else { throw mismatch("a string", value) }
            guard let instant = Instant(text) else {
                throw FieldFailure("must be an RFC 3339 date-time such as 2026-11-23T01:00:00Z")
            }
            return instant
        }, write: { .string($0.description) })
}

extension FieldType where Value: ClosedWord {
    /// A word out of the type's list.
    static var word: FieldType {
        FieldType(
            schema: Value.schema,
            read: { value throws(FieldFailure) in
                guard case .string(let text) = value else { throw mismatch("a string", value) }
                guard let word = Value(rawValue: text) else { throw FieldFailure("must be one of \(Value.words)") }
                return word
            }, write: { .string($0.rawValue) })
    }
}
