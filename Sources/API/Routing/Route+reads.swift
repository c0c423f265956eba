internal import Contract
internal import Hummingbird
internal import Jobs
internal import Postgres

/// A row of a list: what is shown of it, and where it stands in the list's order.
protocol ListedRow: Sendable {
    static var representation: Representation<Self> { get }
    var position: [String] { get }
}

/// What a page of a list is asked for.
struct PageRequest: Sendable {
    /// The position of the last row of the page before; nil: from the beginning.
    let after: [String]?
    /// One more than the page has, to see whether there is another one.
    let limit: Int
}

extension Route {
    /// A list: `{"data": […], "next": …}`, as CSV or as JSON Lines.
    ///
    /// - Parameter page: reads the rows of a page; all that it needs of the request it takes before.
    static func list<Row: ListedRow>(
        _ path: String, _ reading: Reading, of type: Row.Type, _ summary: String, filters: [QueryParameter] = [],
        shown representation: Representation<Row> = Row.representation,
        _ page: @escaping @Sendable (Call, PageRequest) throws -> @Sendable (inout Postgres.Connection) throws -> [Row]
    ) -> Route {
        Route(
            method: .get, path: PathPattern(path), summary: summary, right: .reading(reading),
            query: filters + QueryParameter.paging,
            success: Success(status: .ok, schema: representation.schema, isList: true)
        ) { call in
            let cursor = Cursor(
                path: path + "\(call.names.sorted { $0.key < $1.key })", query: call.query, account: call.asker?.account)
            let limit = Int(try call.query.integer("limit", 1...200) ?? 50)
            let after = try call.query.raw("cursor").map { try cursor.position($0) }
            let read = try page(call, PageRequest(after: after, limit: limit + 1))
            let rows: [Row]
            do {
                rows = try await call.database { database, _ in try read(&database) }
            } catch let error as PostgresError where error.fault == .data && after != nil {
                throw Problem.parameter("cursor", "is none of this list's, with these filters")
            }
            let shown = rows.prefix(limit)
            return .list(
                Listing(
                    rows: shown.map { representation.json($0) }, columns: representation.members.map(\.name),
                    next: rows.count > limit ? shown.last.map { cursor.text($0.position) } : nil))
        }
    }

    /// One thing.
    ///
    /// - Parameters:
    ///   - isTagged: whether it has an `ETag`: whether it can be changed.
    ///   - find: reads it; nil: there is none.
    static func item<Value: Sendable>(
        _ path: String, _ reading: Reading, _ representation: Representation<Value>, _ summary: String, isTagged: Bool = false,
        query: [QueryParameter] = [],
        _ find: @escaping @Sendable (Call) throws -> @Sendable (inout Postgres.Connection) throws -> Value?
    ) -> Route {
        Route(
            method: .get, path: PathPattern(path), summary: summary, right: .reading(reading), query: query,
            success: Success(status: .ok, schema: representation.schema, isTagged: isTagged)
        ) { call in
            let read = try find(call)
            guard let value = try await call.database({ database, _ in try read(&database) }) else {
                throw Problem.notFound("there is nothing of this name")
            }
            let json = representation.json(value)
            return isTagged ? try tagged(json, call) : .json(.ok, json)
        }
    }

    /// Anything else that is read.
    static func read(
        _ path: String, _ right: Right, schema: JSONValue, _ summary: String, query: [QueryParameter] = [],
        otherTypes: [String] = [], isList: Bool = false, _ respond: @escaping @Sendable (Call) async throws -> RouteResult
    ) -> Route {
        Route(
            method: .get, path: PathPattern(path), summary: summary, right: right, query: query,
            success: Success(status: .ok, schema: schema, otherTypes: otherTypes, isList: isList), respond: respond)
    }

    /// With its `ETag`; 304 where the client has it already.
    static func tagged(_ json: JSONValue, _ call: Call) throws -> RouteResult {
        let tag = "\"\(EntityTag.of(json))\""
        if let known = call.headers[.ifNoneMatch], known.split(separator: ",").contains(where: { $0.trimmed == tag }) {
            return .empty(.notModified, [.eTag: tag])
        }
        return .json(.ok, json, [.eTag: tag])
    }
}
