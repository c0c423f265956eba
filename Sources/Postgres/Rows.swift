internal import CLibPQ

/// The rows of one execution, in binary format, read straight from libpq's memory.
///
/// ``decode(_:)`` and its kin read rows by type; the functions with positions are for loops that must not allocate.
/// Rows and columns count from 0. Asking for a row or column that is not there, for a value that is NULL (use the
/// `optional…` functions), or for another type than the column's is a programmer's error and traps.
public final class Rows {
    let result: OpaquePointer
    public let count: Int
    public let columnCount: Int

    /// Takes the result over.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    /// How many rows an INSERT, UPDATE, DELETE, MERGE or SELECT touched.
    public var affected: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        var number = 0
        var digit = text
        while digit.pointee != 0 {
            number = number * 10 + Int(digit.pointee) - 48
            digit += 1
        }
        return number
    }

    public var isEmpty: Bool { count == 0 }

    public var columnNames: [String] { (0..<columnCount).map { String(cString: PQfname(result, Int32($0))) } }

    public func isNull(_ row: Int, _ column: Int) -> Bool { value(row, column) == nil }

    /// The value's bytes on the wire, nil for NULL; valid inside the closure.
    public func withBytes<Result, Failure: Error>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let value = value(row, column)
        return try withExtendedLifetime(self) { () throws(Failure) in try body(value) }
    }

    func type(_ column: Int) -> UInt32 { PQftype(result, Int32(column)) }

    @inline(__always)
    func value(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        precondition(row >= 0 && row < count && column >= 0 && column < columnCount, "no such row or column")
        let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        let length = PQgetlength(result, row, column)
        if length == 0, PQgetisnull(result, row, column) != 0 { return nil }
        return UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(length))
    }

    @inline(__always)
    func present(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        guard let value = value(row, column) else { preconditionFailure("row \(row), column \(column) is NULL") }
        return value
    }
}

@available(*, unavailable)
extension Rows: Sendable {}
