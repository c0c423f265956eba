/// Which events a webhook is called with: words separated by dots, as they are bound on a topic exchange. `*` stands for one word, `#` for any
/// number of words, none too.
public struct EventPattern: Sendable, Equatable {
    public let text: String
    private let words: [Substring]

    static let mostBytes = 128
    static let mostWords = 8

    /// For a schema, which cannot say that there is an event that matches.
    static let pattern: String = {
        let families = Set(EventName.all.map { $0.prefix { $0 != "." } }).sorted().joined(separator: "|")
        return #"^(\#(families)|\*|#)(\.([a-z0-9_]+|\*|#)){0,\#(mostWords - 1)}$"#
    }()

    /// nil where the text is none, or no event there is matches it.
    public init?(_ text: String) {
        guard (1...Self.mostBytes).contains(text.utf8.count) else { return nil }
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count <= Self.mostWords, words.allSatisfy({ $0 == "*" || $0 == "#" || Self.isWord($0) }) else { return nil }
        self.text = text
        self.words = words
        guard EventName.all.contains(where: matches) else { return nil }
    }

    /// Small letters, digits and underscores.
    private static func isWord(_ word: Substring) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { Ascii.isLowercase($0) || Ascii.isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// Whether an event of this name is among those meant.
    public func matches(_ name: String) -> Bool {
        Self.matches(words[...], name.split(separator: ".", omittingEmptySubsequences: false)[...])
    }

    private static func matches(_ pattern: ArraySlice<Substring>, _ name: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "#" {
            return matches(pattern.dropFirst(), name) || !name.isEmpty && matches(pattern, name.dropFirst())
        }
        guard let word = name.first, first == "*" || first == word else { return false }
        return matches(pattern.dropFirst(), name.dropFirst())
    }

    /// One regular expression of PostgreSQL for all patterns, to be held against an event's name with a dot behind it.
    public static func expression(_ patterns: [EventPattern]) -> String {
        let alternatives = patterns.map { pattern in
            pattern.words.map { word in
                switch word {
                case "*": #"[^.]+\."#
                case "#": #"(?:[^.]+\.)*"#
                default: word + #"\."#
                }
            }.joined()
        }
        return "^(?:\(alternatives.joined(separator: "|")))$"
    }
}

/// What events are called: their routing key without account and tenant.
public enum EventName {
    /// Of an alert: `limit.breached.messages`.
    public static func alert(_ state: AlertEvent.State, _ metric: Metric) -> String {
        "limit.\(state.rawValue).\(metric.rawValue)"
    }

    /// Whatever a webhook can be called with. Outcomes of jobs, `job.*`, are for operators alone.
    public static let all: [String] =
        AlertEvent.State.allCases.flatMap { state in Metric.allCases.map { alert(state, $0) } }
        + LifecycleEvent.allCases.map(\.rawValue)
}

extension FieldType<String> {
    static let eventPattern = anyText.checked(
        "must be a pattern of words separated by dots, * for one and # for any number, that matches an event: limit.#, tenant.*, "
            + "invoice.created",
        schema: ["pattern": .string(EventPattern.pattern), "maxLength": .int(Int64(EventPattern.mostBytes))]
    ) { EventPattern($0) != nil }
}
