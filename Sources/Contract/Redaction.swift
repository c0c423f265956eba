/// Takes secrets out of a job's body before it is kept, and puts them back where it is sent again.
public enum Redaction {
    /// The members of a payload that are secrets, whatever the job's kind.
    private static let secretNames: Set<String> = ["password"]

    /// What may be kept of a body.
    public struct Remainder: Equatable, Sendable {
        public let body: [UInt8]
        /// JSON Pointers to what was taken out; `""` stands for the whole body.
        public let pointers: [String]
        /// The values that were taken out, as JSON, in order: whoever puts back others makes another job of it.
        public let values: [[UInt8]]

        init(body: [UInt8], pointers: [String], values: [[UInt8]] = []) {
            self.body = body
            self.pointers = pointers
            self.values = values
        }

        static let nothing = Remainder(body: [], pointers: [""])
    }

    /// Takes out the members of the outermost object that are secrets, each with one comma. All other bytes stay as they are, so that taking
    /// out what ``restored(_:_:)`` put back gives the same bytes again.
    ///
    /// What cannot be read as JSON, such as the beginning of a body, is taken out as a whole if the name of a secret stands in it in quotes.
    ///
    /// - Parameter isStrict: whether a secret is to be expected: then the whole body also goes if one stands deeper in it, or may stand under a name
    ///   with escapes where it cannot be read.
    /// - Returns: nil if there is nothing to take out. Takes time in proportion to the body.
    public static func remainder(of body: UnsafeRawBufferPointer, isStrict: Bool = false) -> Remainder? {
        let (isNamed, isEscaped) = signs(of: body)
        guard isNamed || isEscaped else { return nil }
        guard UTF8Validity.holds(body), let members = secretMembers(in: body) else {
            return isNamed || isStrict ? .nothing : nil
        }
        if isStrict, let value = try? JSONValue(parsing: Array(body)), holdsSecret(below: value) { return .nothing }
        guard !members.names.isEmpty else { return nil }
        var rest: [UInt8] = []
        rest.reserveCapacity(body.count)
        var position = 0
        for range in members.ranges {
            rest.append(contentsOf: body[position..<range.lowerBound])
            position = range.upperBound
        }
        rest.append(contentsOf: body[position...])
        // Each name once, however often it stands there: the pointers go into a header.
        var seen: Set<String> = []
        let pointers = members.names.filter { seen.insert($0).inserted }.map { "/" + $0 }
        return Remainder(body: rest, pointers: pointers, values: members.values)
    }

    /// Puts values into the outermost object, before its first member.
    ///
    /// - Parameter values: by the name of the member.
    /// - Returns: nil if the body is no object.
    public static func restored(_ body: UnsafeRawBufferPointer, _ values: [String: String]) -> [UInt8]? {
        var cursor = JSONCursor(body)
        guard cursor.take(Ascii.openBrace) else { return nil }
        let begin = cursor.position
        let isEmpty = cursor.take(Ascii.closeBrace)
        let members = values.sorted { $0.key < $1.key }.map { name, value in
            Array(JSONValue.object([name: .string(value)]).serialised().dropFirst().dropLast())
        }
        guard !members.isEmpty else { return Array(body) }
        let inserted = members.joined(separator: [Ascii.comma]) + (isEmpty ? [] : [Ascii.comma])
        return Array(body[..<begin]) + inserted + Array(body[begin...])
    }

    /// Whether a secret stands deeper than the outermost object. Recursion is bounded by the reader's depth.
    private static func holdsSecret(below value: JSONValue, isOutermost: Bool = true) -> Bool {
        switch value {
        case .object(let members):
            members.contains { name, member in
                !isOutermost && secretNames.contains(name.lowercased()) || holdsSecret(below: member, isOutermost: false)
            }
        case .array(let items): items.contains { holdsSecret(below: $0, isOutermost: false) }
        default: false
        }
    }

    /// Whether the name of a secret stands there in quotes, and whether one may stand there in escapes.
    private static func signs(of body: UnsafeRawBufferPointer) -> (isNamed: Bool, isEscaped: Bool) {
        var signs = (isNamed: false, isEscaped: false)
        for position in body.indices.dropLast() {
            if body[position] == Ascii.backslash, body[position + 1] == Ascii.u { signs.isEscaped = true }
            if body[position] == Ascii.quote, secretNames.contains(where: { isName($0, at: position + 1, in: body) }) {
                signs.isNamed = true
                return signs
            }
        }
        return signs
    }

    /// Whether a text of these letters, large or small, ends with a quote there.
    private static func isName(_ name: String, at position: Int, in body: UnsafeRawBufferPointer) -> Bool {
        let end = position + name.utf8.count
        guard end < body.count, body[end] == Ascii.quote else { return false }
        return zip(name.utf8, body[position...]).allSatisfy { $0 == $1 | 0x20 }
    }

    /// The names of the secret members, and the bytes to take out, in order; nil if this is no JSON object.
    private static func secretMembers(in body: UnsafeRawBufferPointer) -> (
        names: [String], values: [[UInt8]], ranges: [Range<Int>]
    )? {
        var cursor = JSONCursor(body, budget: .payload)
        guard cursor.take(Ascii.openBrace) else { return nil }
        var names: [String] = []
        var values: [[UInt8]] = []
        var ranges: [Range<Int>] = []
        if cursor.take(Ascii.closeBrace) { return atEnd(cursor) ? (names, values, ranges) : nil }
        var keptComma: Int?
        while true {
            cursor.skipSpace()
            let start = cursor.position
            guard let name = cursor.name()?.string(in: body) else { return nil }
            cursor.skipSpace()
            let valueStart = cursor.position
            guard cursor.skipValue(depth: 1) else { return nil }
            let end = cursor.position
            let isSecret = secretNames.contains(name.lowercased())
            if isSecret {
                names.append(name)
                // As it would be written anew, so that another way to write the same text is the same value. What the reader does not take,
                // such as a NUL, stands as it came.
                let value = Array(body[valueStart..<end])
                values.append((try? JSONValue(parsing: value))?.serialised() ?? value)
            }
            if cursor.take(Ascii.comma) {
                if isSecret { ranges.append(start..<cursor.position) } else { keptComma = cursor.position - 1 }
                continue
            }
            guard cursor.take(Ascii.closeBrace) else { return nil }
            if isSecret {
                // At the end of the object, the comma before goes with it, and with those just before it.
                let first = keptComma ?? start
                ranges.removeAll { $0.lowerBound > first }
                ranges.append(first..<end)
            }
            return atEnd(cursor) ? (names, values, ranges) : nil
        }
    }

    private static func atEnd(_ cursor: JSONCursor) -> Bool {
        var cursor = cursor
        cursor.skipSpace()
        return cursor.position == cursor.bytes.count
    }
}
