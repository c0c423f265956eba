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
}
