/// What an array parameter or column may hold. `UInt8` is one only because `[UInt8]` is a `bytea`; `[UInt8?]` traps.
public protocol ArrayElement {
    /// The type of an array of these.
    static var arrayElement: BinaryArray.Element { get }
    func append(to array: inout BinaryArray)
    /// One element off the wire; nil for NULL.
    static func element(_ bytes: UnsafeRawBufferPointer?) -> Self

    // How the whole array is written and read. `UInt8` has its own way: to PostgreSQL, `[UInt8]` is not an array but a `bytea`.
    static func append(_ elements: [Self], to parameters: inout Parameters)
    static func appendNullArray(to parameters: inout Parameters)
    static func elements(_ rows: Rows, _ row: Int, _ column: Int) -> [Self]
}

extension ArrayElement {
    public static func append(_ elements: [Self], to parameters: inout Parameters) {
        var array = BinaryArray(arrayElement)
        for element in elements { element.append(to: &array) }
        parameters.append(array)
    }

    public static func appendNullArray(to parameters: inout Parameters) { parameters.appendNull(arrayElement.oids.array) }

    public static func elements(_ rows: Rows, _ row: Int, _ column: Int) -> [Self] {
        precondition(arrayElement.isReadable(from: rows.type(column)), "column \(column) is no array of \(arrayElement)")
        var elements: [Self] = []
        rows.forEachElement(row, column) { bytes in elements.append(element(bytes)) }
        return elements
    }

    /// The bytes of an element that must be there.
    static func present(_ bytes: UnsafeRawBufferPointer?) -> UnsafeRawBufferPointer {
        guard let bytes else { preconditionFailure("a NULL in an array that has room for none") }
        return bytes
    }
}

extension String: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .text }
    public func append(to array: inout BinaryArray) { array.append(self) }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> String { String(decoding: present(bytes), as: UTF8.self) }
}

extension Int64: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .int8 }
    public func append(to array: inout BinaryArray) { array.append(self) }

    public static func element(_ bytes: UnsafeRawBufferPointer?) -> Int64 {
        let bytes = present(bytes)
        return switch bytes.count {
        case 8: bytes.bigEndian(0, Int64.self)
        case 4: Int64(bytes.bigEndian(0, Int32.self))
        case 2: Int64(bytes.bigEndian(0, Int16.self))
        default: preconditionFailure("no integer in an array of integers")
        }
    }
}

extension Bool: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .bool }
    public func append(to array: inout BinaryArray) { array.append(self) }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> Bool { present(bytes)[0] != 0 }
}

extension Timestamp: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .timestamptz }
    public func append(to array: inout BinaryArray) { array.append(self) }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> Timestamp {
        Timestamp(wire: present(bytes).bigEndian(0, Int64.self))
    }
}

extension JSONText: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .jsonb }
    public func append(to array: inout BinaryArray) {
        var text = text
        text.withUTF8 { array.append(text: UnsafeRawBufferPointer($0)) }
    }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> JSONText {
        JSONText(String(decoding: present(bytes).dropFirst(), as: UTF8.self))
    }
}

extension Optional: ArrayElement where Wrapped: ArrayElement {
    public static var arrayElement: BinaryArray.Element { Wrapped.arrayElement }
    public func append(to array: inout BinaryArray) {
        if let self { self.append(to: &array) } else { array.appendNull() }
    }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> Wrapped? { bytes.map { Wrapped.element($0) } }
}

/// `[UInt8]` is a `bytea`.
extension UInt8: ArrayElement {
    public static var arrayElement: BinaryArray.Element { .bytea }
    public func append(to array: inout BinaryArray) { preconditionFailure("a byte is no element of an array") }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> UInt8 { preconditionFailure("a byte is no element") }

    public static func append(_ elements: [UInt8], to parameters: inout Parameters) { parameters.append(bytes: elements) }
    public static func appendNullArray(to parameters: inout Parameters) { parameters.append(bytes: nil) }
    public static func elements(_ rows: Rows, _ row: Int, _ column: Int) -> [UInt8] {
        precondition(rows.type(column) == TypeOID.bytea, "column \(column) is no bytea")
        return rows.bytes(row, column)
    }
}

/// `[[UInt8]]` is a `bytea[]`.
extension Array: ArrayElement where Element == UInt8 {
    public static var arrayElement: BinaryArray.Element { .bytea }
    public func append(to array: inout BinaryArray) { withUnsafeBytes { array.append(text: $0) } }
    public static func element(_ bytes: UnsafeRawBufferPointer?) -> [UInt8] { [UInt8](present(bytes)) }
}
