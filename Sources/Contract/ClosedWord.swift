/// A word out of a fixed list.
public protocol ClosedWord: RawRepresentable, CaseIterable, Sendable where RawValue == String {}

extension ClosedWord {
    /// Every word of the list, for messages.
    public static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }

    static var schema: JSONValue {
        ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })]
    }
}
