internal import Postgres
internal import TestSupport

/// Reads a list to its end, page by page.
///
/// - Parameters:
///   - between: done after each page, with what was read so far.
///   - page: a page behind a position.
/// - Returns: every row in the order in which it was shown.
func pages<Row>(
    of limit: Int, position: (Row) -> [String], between: ([Row]) throws -> Void = { _ in }, page: ([String]?, Int) throws -> [Row]
) throws -> [Row] {
    var (rows, place) = ([Row](), [String]?.none)
    for _ in 0..<1_000 {
        let more = try page(place, limit)
        guard more.count <= limit else { throw TestFailure("\(more.count) rows in a page of \(limit)") }
        rows += more
        guard more.count == limit, let last = more.last else { return rows }
        place = position(last)
        try between(rows)
    }
    throw TestFailure("the list does not end")
}

extension HandlerStage {
    /// Changes the database as its owner.
    func run(_ script: String) throws { try withDatabase { try $0.run(script: script) } }
}
