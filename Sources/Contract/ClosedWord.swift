/// A word out of a fixed list, decoded with an error that names the list.
public protocol ClosedWord: RawRepresentable, CaseIterable, Codable where RawValue == String {}

extension ClosedWord {
    /// Every word of the list, for messages.
    static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }

    static var schema: JSONValue {
        ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })]
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let word = Self(rawValue: try container.decode(String.self)) else {
            throw DecodingError.unacceptable("must be one of \(Self.words)", at: container.codingPath)
        }
        self = word
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
