/// Places in a payload: JSON Pointers (RFC 6901) and what stands there. Only bodies that are JSON are walked.
struct JSONPointer: Sendable, Equatable {
    /// A pointer travels in an AMQP header, and a payload's own names could make it as long as the payload.
    static let limitBytes = 1_024

    enum Step: Sendable, Equatable {
        case name(String)
        case index(Int)
    }

    var steps: [Step] = []

    /// `/messages/3/sent_at`, with `~` as `~0` and `/` as `~1`; the nearest container that fits where it would be too long.
    var text: String {
        var text = ""
        for step in steps {
            let token =
                switch step {
                case .index(let index): "/\(index)"
                case .name(let name): "/" + Self.escaped(name)
                }
            if text.utf8.count + token.utf8.count > Self.limitBytes { break }
            text += token
        }
        return text
    }

    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == 0x7E || $0 == Ascii.slash }) else { return name }
        var escaped = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    init(_ steps: [Step] = []) {
        self.steps = steps
    }

    init(codingPath: [any CodingKey]) {
        steps = codingPath.map { key in
            // Only the decoder's own index keys carry an `intValue` that their name does not spell.
            if let index = key.intValue, key.stringValue != String(index) { return .index(index) }
            return .name(key.stringValue)
        }
    }
}

extension JSONCursor {
    /// Walks the container at hand, one call for each value in it with the cursor on the value; the call passes over the value.
    private mutating func walk(_ visit: (inout JSONCursor, JSONPointer.Step) -> Bool) -> Bool {
        skipSpace()
        let isObject = byte == Ascii.openBrace
        position += 1
        if take(isObject ? Ascii.closeBrace : Ascii.closeBracket) { return true }
        var index = 0
        repeat {
            var step = JSONPointer.Step.index(index)
            if isObject {
                guard let name = name() else { return false }
                step = .name(name.string(in: bytes))
            }
            skipSpace()
            guard visit(&self, step) else { return false }
            index += 1
        } while take(Ascii.comma)
        return take(isObject ? Ascii.closeBrace : Ascii.closeBracket)
    }

    /// Where the first `\u0000` is: the text itself, or the object of which it is in a name.
    mutating func pointerOfNUL() -> JSONPointer {
        var steps: [JSONPointer.Step] = []
        _ = findNUL(&steps)
        return JSONPointer(steps)
    }

    private mutating func findNUL(_ steps: inout [JSONPointer.Step]) -> Bool {
        skipSpace()
        guard byte == Ascii.openBrace || byte == Ascii.openBracket else {
            sawNUL = false
            return skipValue(depth: 0) && sawNUL
        }
        var isFound = false
        sawNUL = false
        _ = walk { cursor, step in
            if cursor.sawNUL {
                isFound = true  // in the name that was just read
                return false
            }
            steps.append(step)
            isFound = cursor.findNUL(&steps)
            if isFound { return false }
            steps.removeLast()
            cursor.sawNUL = false
            return true
        }
        return isFound
    }

    /// What stands at `pointer`, in words for a message; nil where nothing does.
    mutating func nameOfValue(at pointer: JSONPointer) -> String? {
        skipSpace()
        guard let step = pointer.steps.first else { return nameOfValue }
        guard byte == Ascii.openBrace || byte == Ascii.openBracket else { return nil }
        var found: String?
        _ = walk { cursor, here in
            if here != step { return cursor.skipValue(depth: 0) }
            found = cursor.nameOfValue(at: JSONPointer(Array(pointer.steps.dropFirst())))
            return false
        }
        return found
    }

    private var nameOfValue: String {
        switch byte {
        case Ascii.quote: "a string"
        case Ascii.openBrace: "an object"
        case Ascii.openBracket: "an array"
        case 0x74, 0x66: "a boolean"
        case 0x6E: "null"
        default: "a number"
        }
    }
}
