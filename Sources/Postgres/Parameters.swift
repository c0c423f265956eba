/// The values of one execution, in binary format with their types declared, in one reusable buffer.
///
/// Statements mostly take their values directly, `query(SQL.claim, lease, days)`; a buffer of one's own is for loops that run a statement
/// often. `removeAll()` keeps the memory. NULL is `nil` of the wanted type: `append(String?.none)`.
public struct Parameters: Sendable {
    private(set) var types: [UInt32] = []
    private(set) var lengths: [Int32] = []
    /// Where each value starts in `bytes`; negative for NULL.
    private(set) var offsets: [Int] = []
    /// Starts with one unused byte, so that an empty value has an address, which tells it from NULL.
    private(set) var bytes: [UInt8] = [0]

    public init() {}

    public var count: Int { types.count }

    public mutating func removeAll() {
        types.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        bytes.removeLast(bytes.count - 1)
    }

    public mutating func append(_ text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        close(TypeOID.text, from: start)
    }

    public mutating func append(_ text: String?) {
        if let text { append(text) } else { appendNull(TypeOID.text) }
    }

    /// UTF-8 text.
    public mutating func append(text: UnsafeRawBufferPointer) {
        let start = bytes.count
        bytes.append(contentsOf: text)
        close(TypeOID.text, from: start)
    }

    /// `int8`
    public mutating func append(_ value: Int64?) { appendFixed(TypeOID.int8, value) }

    /// `int8`
    public mutating func append(_ value: Int?) { appendFixed(TypeOID.int8, value.map(Int64.init)) }

    /// `int4`
    public mutating func append(_ value: Int32?) { appendFixed(TypeOID.int4, value) }

    public mutating func append(_ value: Bool?) { appendFixed(TypeOID.bool, value.map { $0 ? 1 as UInt8 : 0 }) }

    /// `float8`
    public mutating func append(_ value: Double?) { appendFixed(TypeOID.float8, value?.bitPattern) }

    public mutating func append(timestamp: Timestamp?) { appendFixed(TypeOID.timestamptz, timestamp?.wire) }

    /// JSON text in UTF-8.
    public mutating func append(jsonb json: UnsafeRawBufferPointer?) {
        guard let json else { return appendNull(TypeOID.jsonb) }
        let start = bytes.count
        bytes.append(jsonbVersion)
        bytes.append(contentsOf: json)
        close(TypeOID.jsonb, from: start)
    }

    public mutating func append(jsonb json: String?) {
        guard var json else { return appendNull(TypeOID.jsonb) }
        json.withUTF8 { append(jsonb: UnsafeRawBufferPointer($0)) }
    }

    /// `bytea`
    public mutating func append(bytes value: [UInt8]?) {
        guard let value else { return appendNull(TypeOID.bytea) }
        let start = bytes.count
        bytes.append(contentsOf: value)
        close(TypeOID.bytea, from: start)
    }

    /// `text[]`, `int8[]` and so on. Source: `array_recv` in PostgreSQL's `arrayfuncs.c`.
    public mutating func append(_ array: BinaryArray) {
        let oids = array.element.oids
        let start = bytes.count
        bytes.reserveCapacity(start + 20 + array.bytes.count)
        bytes.appendBigEndian(array.isEmpty ? 0 : 1 as Int32)
        bytes.appendBigEndian(array.hasNulls ? 1 : 0 as Int32)
        bytes.appendBigEndian(oids.element)
        if !array.isEmpty {
            bytes.appendBigEndian(Int32(array.count))
            bytes.appendBigEndian(1 as Int32)
            bytes.append(contentsOf: array.bytes)
        }
        close(oids.array, from: start)
    }

    public mutating func append(_ texts: [String]) {
        var array = BinaryArray(.text)
        for text in texts { array.append(text) }
        append(array)
    }

    /// `int8[]`
    public mutating func append(_ values: [Int64]) {
        var array = BinaryArray(.int8)
        for value in values { array.append(value) }
        append(array)
    }

    public mutating func append(timestamps: [Timestamp]) {
        var array = BinaryArray(.timestamptz)
        for timestamp in timestamps { array.append(timestamp) }
        append(array)
    }

    private mutating func appendFixed(_ type: UInt32, _ value: (some FixedWidthInteger)?) {
        guard let value else { return appendNull(type) }
        let start = bytes.count
        bytes.appendBigEndian(value)
        close(type, from: start)
    }

    mutating func appendNull(_ type: UInt32) {
        types.append(type)
        lengths.append(0)
        offsets.append(-1)
    }

    private mutating func close(_ type: UInt32, from start: Int) {
        types.append(type)
        lengths.append(Int32(bytes.count - start))
        offsets.append(start)
    }
}
