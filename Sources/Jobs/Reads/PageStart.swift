public import Postgres

/// Where a page of a list begins: behind the row at a position, or at the list's start.
///
/// Whatever is asked for where there is no position comes before every row: `""` of a list that ascends, the greatest value of one that
/// descends. So a statement compares always, and the comparison is an index condition for the first page, too. A value that cannot be read
/// is as if it were not there: positions are not the asker's to make.
public struct PageStart: Sendable {
    private let values: [String]

    /// - Parameter position: that of the last row of the page before; nil is the start.
    public init(after position: [String]?) { values = position ?? [] }

    /// A text of a list that ascends by it, or of one that descends by something before it.
    public func text(_ index: Int) -> String {
        guard values.indices.contains(index), !values[index].utf8.contains(0) else { return "" }
        return values[index]
    }

    /// A time of a list with the newest first.
    public func time(_ index: Int) -> Timestamp { Timestamp(rfc3339: text(index)) ?? .distantFuture }

    /// A time of a list with the oldest first.
    public func ascendingTime(_ index: Int) -> Timestamp { Timestamp(rfc3339: text(index)) ?? .distantPast }

    /// A number of a list with the greatest first.
    public func number(_ index: Int) -> Int64 { Int64(text(index)) ?? .max }

    /// A UUID in its usual form, of a list with the greatest first.
    public func uuid(_ index: Int) -> String {
        let text = text(index)
        return UUIDText.isValid(text) ? text : "ffffffff-ffff-ffff-ffff-ffffffffffff"
    }
}

/// UUIDs in their usual form: 32 hexadecimal digits in five groups.
enum UUIDText {
    static func isValid(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(isHexadecimal) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
