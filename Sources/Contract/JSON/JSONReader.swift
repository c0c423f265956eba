/// Why bytes could not be read as JSON.
public enum JSONFault: Error, Sendable, Equatable {
    case notUTF8
    /// RFC 8259, section 8.1, forbids it.
    case byteOrderMark
    /// No JSON from this byte on, counted from 0.
    case malformed(byte: Int)
    /// A container at this JSON Pointer has too many others around it.
    case tooDeep(limit: Int, pointer: String)
    case tooManyValues(limit: Int)
}

extension JSONFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notUTF8: "is not UTF-8"
        case .byteOrderMark: "begins with a byte order mark (RFC 8259, section 8.1)"
        case .malformed(let byte): "is not JSON at byte \(byte)"
        case .tooDeep(let limit, _): "nests deeper than \(limit) levels"
        case .tooManyValues(let limit): "holds more than \(limit) values"
        }
    }
}

/// Reads a whole JSON text (RFC 8259) into a value: in time and memory proportional to its bytes, and no further than its budget.
///
/// Nothing is thrown on the way; ``fault`` says in the end what was in the way. Where a name stands twice in an object, the first one counts.
struct JSONReader {
    private var cursor: JSONCursor
    private let budget: JSONBudget
    /// The way to the value at hand.
    private var steps: [JSONPointer.Step] = []
    private(set) var fault: JSONFault?
    /// Where the first `\u0000` is: the text itself, or the object of which it is in a name.
    private(set) var pointerOfNUL: JSONPointer?

    init(_ bytes: UnsafeRawBufferPointer, _ budget: JSONBudget) {
        cursor = JSONCursor(bytes)
        self.budget = budget
    }

    /// The one value of the text; nil where there is none, and then ``fault`` says why.
    mutating func read() -> JSONValue? {
        guard UTF8Validity.holds(cursor.bytes) else { return fail(.notUTF8) }
        if cursor.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return fail(.byteOrderMark) }
        guard let value = value(depth: 0) else { return fail(.malformed(byte: cursor.position)) }
        cursor.skipSpace()
        guard cursor.position == cursor.bytes.count else { return fail(.malformed(byte: cursor.position)) }
        return value
    }

    /// The first fault is the one that counts.
    private mutating func fail(_ fault: JSONFault) -> JSONValue? {
        if self.fault == nil { self.fault = fault }
        return nil
    }

    /// - Parameter depth: how many containers are open around the value.
    private mutating func value(depth: Int) -> JSONValue? {
        guard cursor.values <= budget.values else { return fail(.tooManyValues(limit: budget.values)) }
        cursor.skipSpace()
        switch cursor.byte {
        case Ascii.openBrace, Ascii.openBracket:
            guard depth < budget.depth else {
                return fail(.tooDeep(limit: budget.depth, pointer: JSONPointer(steps).text))
            }
            return cursor.byte == Ascii.openBrace ? object(depth: depth + 1) : array(depth: depth + 1)
        case Ascii.quote:
            guard let text = cursor.text() else { return nil }
            noteNUL()
            return .string(text.string(in: cursor.bytes))
        case 0x74: return cursor.takeWord("true") ? .bool(true) : nil
        case 0x66: return cursor.takeWord("false") ? .bool(false) : nil
        case 0x6E: return cursor.takeWord("null") ? .null : nil
        default: return cursor.number().map { cursor.value(of: $0) }
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        cursor.position += 1
        var members: [String: JSONValue] = [:]
        if cursor.take(Ascii.closeBrace) { return .object(members) }
        repeat {
            guard let slice = cursor.name() else { return nil }
            noteNUL()
            let name = slice.string(in: cursor.bytes)
            steps.append(.name(name))
            guard let value = value(depth: depth) else { return nil }
            steps.removeLast()
            if members[name] == nil { members[name] = value }
        } while cursor.take(Ascii.comma)
        return cursor.take(Ascii.closeBrace) ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        cursor.position += 1
        var elements: [JSONValue] = []
        if cursor.take(Ascii.closeBracket) { return .array(elements) }
        repeat {
            cursor.values += 1
            steps.append(.index(elements.count))
            guard let value = value(depth: depth) else { return nil }
            steps.removeLast()
            elements.append(value)
        } while cursor.take(Ascii.comma)
        return cursor.take(Ascii.closeBracket) ? .array(elements) : nil
    }

    private mutating func noteNUL() {
        guard cursor.sawNUL else { return }
        if pointerOfNUL == nil { pointerOfNUL = JSONPointer(steps) }
        cursor.sawNUL = false
    }
}

extension JSONCursor {
    /// A number's value: whole where it is whole and 64 bits hold it, infinite where no `Double` holds it.
    func value(of number: RawSlice) -> JSONValue {
        if let whole = wholeNumber(number) { return .int(whole) }
        return .double(Double(number.string(in: bytes)) ?? .infinity)
    }
}
