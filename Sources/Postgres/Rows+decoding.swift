/// A Swift value that a column can be read as; see ``Rows`` for which column types each one takes.
public protocol ColumnValue {
    static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Self
}

extension Rows {
    /// Every row as a tuple, its columns in order.
    ///
    /// A column of another type, a NULL where no optional is asked for, or another number of columns is a programmer's error and traps.
    public func decode<each Column: ColumnValue>(_ columns: (repeat each Column).Type) -> [(repeat each Column)] {
        decode { (values: repeat each Column) in (repeat each values) }
    }

    /// Every row of a single column.
    public func decode<Column: ColumnValue>(_ column: Column.Type) -> [Column] { decode { (value: Column) in value } }

    /// Every row as what `make` makes of its columns: `rows.decode(Invoice.init)` for a struct whose properties stand in their order.
    public func decode<each Column: ColumnValue, Value>(_ make: (repeat each Column) throws -> Value) rethrows -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for row in 0..<count {
            var reader = RowReader(self, row)
            values.append(try make(repeat reader.next((each Column).self)))
            reader.finish()
        }
        return values
    }

    /// The first row as a tuple; nil where there is none.
    public func first<each Column: ColumnValue>(_ columns: (repeat each Column).Type) -> (repeat each Column)? {
        guard count > 0 else { return nil }
        var reader = RowReader(self, 0)
        let values = (repeat reader.next((each Column).self))
        reader.finish()
        return values
    }

    /// The first row of a single column; nil where there is none.
    public func first<Column: ColumnValue>(_ column: Column.Type) -> Column? {
        guard count > 0 else { return nil }
        var reader = RowReader(self, 0)
        let value = reader.next(column)
        reader.finish()
        return value
    }

    /// The single column of the only row; another number of rows traps.
    public func only<Column: ColumnValue>(_ column: Column.Type) -> Column {
        guard count == 1, let value = first(column) else { preconditionFailure("\(count) rows where there is always one") }
        return value
    }

    /// The row of a statement that always gives exactly one; another number of rows traps.
    public func only<each Column: ColumnValue>(_ columns: (repeat each Column).Type) -> (repeat each Column) {
        guard count == 1, let values = first(columns) else { preconditionFailure("\(count) rows where there is always one") }
        return values
    }
}

/// Reads the columns of one row from left to right.
private struct RowReader {
    private let rows: Rows
    private let row: Int
    private var column = 0

    init(_ rows: Rows, _ row: Int) {
        self.rows = rows
        self.row = row
    }

    mutating func next<Column: ColumnValue>(_ type: Column.Type) -> Column {
        defer { column += 1 }
        return Column.read(rows, row, column)
    }

    func finish() {
        precondition(column == rows.columnCount, "\(column) columns were read of \(rows.columnCount)")
    }
}

extension String: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> String { rows.text(row, column) }
}

extension Int64: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Int64 { rows.int(row, column) }
}

extension Int32: ColumnValue {
    /// A value out of range traps.
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Int32 { Int32(rows.int(row, column)) }
}

extension Int: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Int { Int(rows.int(row, column)) }
}

extension Bool: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Bool { rows.bool(row, column) }
}

extension Double: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Double { rows.double(row, column) }
}

extension Timestamp: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Timestamp { rows.timestamp(row, column) }
}

extension JSONText: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> JSONText { JSONText(rows.text(row, column)) }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> Wrapped? {
        rows.isNull(row, column) ? nil : Wrapped.read(rows, row, column)
    }
}

extension Array: ColumnValue where Element: ArrayElement {
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> [Element] { Element.elements(rows, row, column) }
}
