/// A one-dimensional PostgreSQL array in binary format, built element by element into one buffer.
///
/// Made to be reused: `removeAll()` keeps the memory. Giving an element of another type than the array's traps.
/// Source: `array_recv` in PostgreSQL's `arrayfuncs.c`.
public struct BinaryArray: Sendable {
    public enum Element: Sendable {
        case text, int8, bool, timestamptz, jsonb, bytea
    }

    public let element: Element
    public private(set) var count = 0
    private(set) var hasNulls = false
    /// The elements, each with its length in front; without the array's header, which is written when it becomes a parameter.
    private(set) var bytes: [UInt8] = []
    private var openElement: Int?

    public init(_ element: Element) { self.element = element }

    public var isEmpty: Bool { count == 0 }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        count = 0
        hasNulls = false
        openElement = nil
    }

    /// UTF-8 text, JSON, or the bytes of a bytea.
    public mutating func append(text: UnsafeRawBufferPointer) {
        beginElement()
        bytes.append(contentsOf: text)
        endElement()
    }

    public mutating func append(_ text: String) {
        beginElement()
        bytes.append(contentsOf: text.utf8)
        endElement()
    }

    public mutating func append(_ text: String?) {
        if let text { append(text) } else { appendNull() }
    }

    public mutating func append(_ value: Int64) {
        precondition(element == .int8, "an integer in an array of another type")
        appendFixed(UInt64(bitPattern: value))
    }

    public mutating func append(_ value: Timestamp) {
        precondition(element == .timestamptz, "a Timestamp in an array of another type")
        appendFixed(UInt64(bitPattern: value.wire))
    }

    public mutating func append(_ value: Timestamp?) {
        if let value { append(value) } else { appendNull() }
    }

    public mutating func append(_ value: Bool) {
        precondition(element == .bool, "a Bool in an array of another type")
        appendFixed(value ? 1 as UInt8 : 0)
    }

    public mutating func appendNull() {
        precondition(openElement == nil, "an element is still open")
        bytes.appendBigEndian(UInt32.max)
        hasNulls = true
        count += 1
    }

    private mutating func appendFixed<Value: FixedWidthInteger>(_ value: Value) {
        precondition(openElement == nil, "an element is still open")
        bytes.appendBigEndian(UInt32(MemoryLayout<Value>.size))
        bytes.appendBigEndian(value)
        count += 1
    }
}

// An element written in pieces, so that text can be unescaped straight into its place.
extension BinaryArray {
    public mutating func beginElement() {
        precondition(openElement == nil, "an element is still open")
        switch element {
        case .text, .bytea, .jsonb: break
        default: preconditionFailure("bytes in an array of \(element)")
        }
        openElement = bytes.count
        bytes.appendBigEndian(0 as UInt32)
        if element == .jsonb { bytes.append(jsonbVersion) }
    }

    @inline(__always)
    public mutating func appendPart(_ part: UnsafeRawBufferPointer) { bytes.append(contentsOf: part) }

    @inline(__always)
    public mutating func appendPart(_ byte: UInt8) { bytes.append(byte) }

    public mutating func endElement() {
        guard let start = openElement else { preconditionFailure("no element is open") }
        let length = UInt32(bytes.count - start - 4)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length.bigEndian, toByteOffset: start, as: UInt32.self) }
        openElement = nil
        count += 1
    }
}

/// The one version of jsonb's binary format, in front of the text.
let jsonbVersion: UInt8 = 1

extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension BinaryArray.Element {
    /// The types of one element and of the array, as parameters declare them.
    var oids: (element: UInt32, array: UInt32) {
        switch self {
        case .text: (TypeOID.text, TypeOID.textArray)
        case .int8: (TypeOID.int8, TypeOID.int8Array)
        case .bool: (TypeOID.bool, TypeOID.boolArray)
        case .timestamptz: (TypeOID.timestamptz, TypeOID.timestamptzArray)
        case .jsonb: (TypeOID.jsonb, TypeOID.jsonbArray)
        case .bytea: (TypeOID.bytea, TypeOID.byteaArray)
        }
    }
    /// Whether a column of this array type holds elements that can be read as this one.
    func isReadable(from arrayType: UInt32) -> Bool {
        switch self {
        case .text: [TypeOID.textArray, TypeOID.varcharArray, TypeOID.bpcharArray, TypeOID.nameArray].contains(arrayType)
        case .int8: [TypeOID.int8Array, TypeOID.int4Array, TypeOID.int2Array].contains(arrayType)
        case .timestamptz: [TypeOID.timestamptzArray, TypeOID.timestampArray].contains(arrayType)
        case .bool, .jsonb, .bytea: arrayType == oids.array
        }
    }
}
