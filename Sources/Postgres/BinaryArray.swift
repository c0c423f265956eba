/// A one-dimensional PostgreSQL array in binary format, built element by element into one buffer.
///
/// Made to be reused: `removeAll()` keeps the memory. Giving an element of another type than the array's traps.
/// Source: `array_recv` in PostgreSQL's `arrayfuncs.c`.
public struct BinaryArray: Sendable {
    public enum Element: Sendable {
        case text, int4, int8, bool, float8, timestamptz, jsonb, bytea, uuid
    }

    public let element: Element
    public private(set) var count = 0
    private(set) var hasNulls = false
    /// The elements, each with its length in front; without the array's header, which is written when it becomes a parameter.
    private(set) var bytes: [UInt8] = []
    private var openElement: Int?

    public init(_ element: Element) { self.element = element }

    public var isEmpty: Bool { count == 0 }

    /// Bytes of the elements so far, lengths included.
    public var byteCount: Int { bytes.count }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        count = 0
        hasNulls = false
        openElement = nil
    }

    public mutating func reserve(bytes byteCount: Int) { bytes.reserveCapacity(byteCount) }

    /// UTF-8 text, JSON, or raw bytes (bytea, or a uuid's 16).
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

    /// A whole number, into an `int8` or `int4` array; one out of range traps.
    public mutating func append(_ value: Int64) {
        switch element {
        case .int8: appendFixed(UInt64(bitPattern: value))
        case .int4: appendFixed(UInt32(bitPattern: Int32(value)))
        default: preconditionFailure("an integer in an array of \(element)")
        }
    }

    public mutating func append(_ value: Int) { append(Int64(value)) }

    public mutating func append(_ value: Double) {
        precondition(element == .float8, "a Double in an array of another type")
        appendFixed(value.bitPattern)
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
        case .text, .bytea, .uuid, .jsonb: break
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

    /// A place to come back to when a row turns out to be bad halfway.
    public struct Mark: Sendable {
        fileprivate let byteCount: Int
        fileprivate let count: Int
        fileprivate let hasNulls: Bool
    }

    public var mark: Mark {
        precondition(openElement == nil, "an element is still open")
        return Mark(byteCount: bytes.count, count: count, hasNulls: hasNulls)
    }

    /// Takes back what was appended since the mark, an open element included.
    public mutating func rewind(to mark: Mark) {
        bytes.removeLast(bytes.count - mark.byteCount)
        count = mark.count
        hasNulls = mark.hasNulls
        openElement = nil
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
    /// The type of one element and of the array.
    var oids: (element: UInt32, array: UInt32) {
        switch self {
        case .text: (TypeOID.text, 1009)
        case .int4: (TypeOID.int4, 1007)
        case .int8: (TypeOID.int8, 1016)
        case .bool: (TypeOID.bool, 1000)
        case .float8: (TypeOID.float8, 1022)
        case .timestamptz: (TypeOID.timestamptz, 1185)
        case .jsonb: (TypeOID.jsonb, 3807)
        case .bytea: (TypeOID.bytea, 1001)
        case .uuid: (TypeOID.uuid, 2951)
        }
    }
}
