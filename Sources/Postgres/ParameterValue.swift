/// A Swift value that a statement can be given: its type says which PostgreSQL type is declared.
///
/// | Swift | PostgreSQL |
/// | --- | --- |
/// | `String` | `text` |
/// | `Int`, `Int64` | `int8` |
/// | `Int32` | `int4` |
/// | `Bool` | `bool` |
/// | `Double` | `float8` |
/// | `Timestamp` | `timestamptz` |
/// | `JSONText` | `jsonb` |
/// | `[UInt8]` | `bytea` |
/// | an array of `String`, `Int64`, `Bool`, `Timestamp`, `JSONText`, `[UInt8]` or their optionals | an array of these, nil as NULL |
/// | an optional of any of these | the same, or NULL |
public protocol ParameterValue {
    func append(to parameters: inout Parameters)
    /// NULL of the same type.
    static func appendNull(to parameters: inout Parameters)
}

extension Parameters {
    /// The values of one execution, in the order of `$1`, `$2`, …
    public init<each Value: ParameterValue>(_ values: repeat each Value) {
        self.init()
        repeat (each values).append(to: &self)
    }
}

/// JSON in UTF-8, as a `jsonb`.
public struct JSONText: Sendable, Equatable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }
}

extension String: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(String?.none) }
}

extension Int64: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(Int64?.none) }
}

extension Int: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(Int?.none) }
}

extension Int32: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(Int32?.none) }
}

extension Bool: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(Bool?.none) }
}

extension Double: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(Double?.none) }
}

extension Timestamp: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(timestamp: self) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(timestamp: nil) }
}

extension JSONText: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(jsonb: text) }
    public static func appendNull(to parameters: inout Parameters) { parameters.append(jsonb: String?.none) }
}

extension Optional: ParameterValue where Wrapped: ParameterValue {
    public func append(to parameters: inout Parameters) {
        if let self { self.append(to: &parameters) } else { Wrapped.appendNull(to: &parameters) }
    }

    public static func appendNull(to parameters: inout Parameters) { Wrapped.appendNull(to: &parameters) }
}

extension Array: ParameterValue where Element: ArrayElement {
    public func append(to parameters: inout Parameters) { Element.append(self, to: &parameters) }

    public static func appendNull(to parameters: inout Parameters) { Element.appendNullArray(to: &parameters) }
}

extension BinaryArray: ParameterValue {
    public func append(to parameters: inout Parameters) { parameters.append(self) }

    /// Traps: the type of the elements is not known.
    public static func appendNull(to parameters: inout Parameters) { preconditionFailure("a BinaryArray has no NULL") }
}
