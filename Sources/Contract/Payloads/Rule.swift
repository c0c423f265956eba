/// The rules that payloads share; each throws `invalid_payload` at the JSON Pointer it is given. Lengths are in Unicode scalars.
enum Rule {
    static func require(_ isGood: Bool, _ field: String, _ message: String) throws(Rejection) {
        if !isGood { throw .invalid(field, message) }
    }

    static func length(_ text: String?, _ lengths: ClosedRange<Int>, _ field: String) throws(Rejection) {
        guard let text else { return }
        // Bytes first: no text has fewer bytes than scalars, and counting scalars of a long one is not free.
        let isGood = text.utf8.count >= lengths.lowerBound && lengths.contains(text.unicodeScalars.count)
        try require(isGood, field, "must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
    }

    static func slug(_ text: String?, _ field: String) throws(Rejection) {
        guard let text else { return }
        try require(Slug.isValid(text), field, "must be a slug: \(Slug.pattern)")
    }

    static func count(_ count: Int, _ counts: ClosedRange<Int>, _ field: String) throws(Rejection) {
        try require(counts.contains(count), field, "must have \(counts.lowerBound) to \(counts.upperBound) entries")
    }

    /// The shape of an IANA time zone name; PostgreSQL knows which ones there are.
    static func timezone(_ text: String?, _ field: String) throws(Rejection) {
        guard let text else { return }
        let isShaped = text.utf8.allSatisfy { byte in
            Ascii.isLetter(byte) || Ascii.isDigit(byte) || "_+/-".utf8.contains(byte)
        }
        try require((1...64).contains(text.utf8.count) && isShaped, field, "must be a time zone such as Europe/Zurich")
    }

    static func slugPrefix(_ text: String?, _ field: String) throws(Rejection) {
        guard let text else { return }
        try require(Slug.isWord(text.utf8, lengths: 1...39), field, "must begin a slug: \(Schema.slugPrefixPattern)")
    }

    static func anchorDay(_ day: Int?, _ field: String) throws(Rejection) {
        guard let day else { return }
        try require((1...31).contains(day), field, "must be a day of the month, 1 to 31")
    }

    /// `YYYY-MM`: the billing period that starts in this month.
    static func month(_ text: String?, _ field: String) throws(Rejection) {
        guard let text else { return }
        let bytes = Array(text.utf8)
        let isShaped =
            bytes.count == 7 && bytes[4] == Ascii.minus && bytes[..<4].allSatisfy { Ascii.isDigit($0) }
            && bytes[5...].allSatisfy { Ascii.isDigit($0) }
        let isMonth = isShaped && (1...12).contains((bytes[5] - Ascii.zero) * 10 + bytes[6] - Ascii.zero)
        try require(isMonth, field, "must be a month such as 2026-11")
    }

    /// The shape of an address; whether it exists, only its reader knows.
    static func email(_ text: String, _ field: String) throws(Rejection) {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let isShaped =
            parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 != 0x7F }
        try require(isShaped, field, "must be an e-mail address of at most 254 bytes")
    }

    /// A setting's name is a key of an index, which has no room for texts of any length.
    static func settings(_ settings: [String: JSONValue]?, _ field: String) throws(Rejection) {
        guard let settings else { return }
        for name in settings.keys.sorted() {
            try length(name, Schema.settingNameLengths, field + JSONPointer([.name(name)]).text)
        }
    }

    static func environment(_ text: String?, _ field: String) throws(Rejection) {
        guard let text else { return }
        try require(Slug.isWord(text.utf8, lengths: 1...40), field, "must be a word such as production or staging")
    }

    /// Each document by its own rules, and each `external_id` once.
    static func documents(_ documents: [CorpusIngest.Document], _ counts: ClosedRange<Int>, _ field: String) throws(Rejection) {
        try count(documents.count, counts, field)
        // Bytes, not `String`: PostgreSQL tells apart what Unicode calls canonically equivalent.
        var seen: Set<[UInt8]> = []
        for (index, document) in documents.enumerated() {
            let place = "\(field)/\(index)"
            try document.validate(place)
            try require(seen.insert(Array(document.externalID.utf8)).inserted, "\(place)/external_id", "is in this job already")
        }
    }

    static func limits(_ limits: Limits?, forTenants: Bool, _ field: String) throws(Rejection) {
        guard forTenants, let limits, limits[.childTenants] != nil else { return }
        throw .invalid("\(field)/\(Metric.childTenants.rawValue)", "is a limit of accounts only")
    }
}
