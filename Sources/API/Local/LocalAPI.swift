package import Contract
package import HTTPTypes
package import HummingbirdCore
package import Jobs
package import Logging
package import NIOCore
package import Postgres

/// The API for whoever is in the same process, such as the console: the same routes, rights and answers, without a connection in between.
package struct LocalAPI: Sendable {
    let table: RouteTable
    let services: Services

    package init(_ services: Services) {
        table = RouteTable(Routes.all)
        self.services = services
    }

    /// What is asked for.
    package struct Request: Sendable {
        package var method: HTTPRequest.Method
        /// Percent-encoded, with its query.
        package var target: String
        package var headers: HTTPFields = [:]
        package var body = ByteBuffer()

        package init(_ method: HTTPRequest.Method, _ target: String) {
            self.method = method
            self.target = target
        }
    }

    /// What was answered.
    package enum Reply: Sendable {
        /// An object, or whatever a route answers with.
        case json(status: Int, JSONValue, headers: HTTPFields)
        /// A page of a list; `next` is the cursor of the next one.
        case list(rows: [JSONValue], columns: [String], next: String?)
        case bytes(ByteBuffer, type: String)
        case stream(type: String, ResponseBody)
        case empty
    }

    /// Why it was refused: what a client over HTTP is told as a problem.
    package struct Failure: Error, Sendable {
        package let status: Int
        package let code: String
        package let detail: String
        /// A JSON Pointer into the body.
        package let field: String?
        /// The query parameter or header that is wrong.
        package let parameter: String?
        package let retryAfterSeconds: Int?

        init(_ problem: Problem) {
            status = problem.status.code
            code = problem.code
            detail = problem.detail
            field = problem.field
            parameter = problem.parameter
            retryAfterSeconds = problem.headers[.retryAfter].flatMap { Int($0) }
        }

        /// A refusal of the caller's own.
        package init(status: Int, code: String, detail: String, field: String? = nil) {
            self.status = status
            self.code = code
            self.detail = detail
            self.field = field
            parameter = nil
            retryAfterSeconds = nil
        }
    }

    /// Answers a request as it would be answered over HTTP, but for the limits of requests a minute, which are the caller's to count.
    ///
    /// - Parameters:
    ///   - bearer: who asks; nil: nobody in particular.
    ///   - address: the network address that it comes from.
    /// - Throws: ``Failure``.
    package func answer(_ request: Request, as bearer: Bearer?, from address: String) async throws -> Reply {
        do {
            let (result, _) = try await respond(to: request, bearer, address)
            return Self.reply(result)
        } catch {
            let problem = Problem(of: error)
            if problem.status.kind == .serverError {
                services.logger.warning(
                    "request failed", metadata: ["error": "\(error)", "http.status": "\(problem.status.code)"])
            }
            throw Failure(problem)
        }
    }

    /// A list as a file: CSV, or JSON with its cursor.
    package static func file(_ reply: Reply, asCSV: Bool) -> (ByteBuffer, type: String) {
        switch reply {
        case .json(_, let value, _): return (ByteBuffer(bytes: value.serialised()), "application/json")
        case .list(let rows, let columns, let next):
            let listing = Listing(rows: rows, columns: columns, next: next)
            return (
                listing.bytes(in: asCSV ? .csv : .json), asCSV ? "text/csv; charset=utf-8; header=present" : "application/json"
            )
        case .bytes(let bytes, let type): return (bytes, type)
        case .stream, .empty: return (ByteBuffer(), "application/json")
        }
    }

    private func respond(to request: Request, _ bearer: Bearer?, _ address: String) async throws -> (RouteResult, Call) {
        let halves = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts = RequestTarget.segments(halves[0]) else { throw Problem.notFound("there is nothing at this path") }
        let (route, names) = try table.find(request.method, parts)
        var caller: Caller?
        if let bearer {
            let slug = route.isOfTenant ? names["slug"] : nil
            let known = try await services.database.run { database, directory in
                try Caller.identify(bearer, tenant: slug, directory, &database)
            }
            try Gate.check(known, route, names)
            caller = known
        }
        let query = try Query(halves.count == 2 ? halves[1] : "", route.query)
        guard request.body.readableBytes <= Gate.mostBodyBytes(of: caller, to: route) else {
            throw Problem.tooLarge(Gate.mostBodyBytes(of: caller, to: route))
        }
        let form = try Form.wanted(for: route, request.headers)
        let call = Call(
            route: route, names: names, query: query, headers: request.headers, body: request.body, asker: caller,
            address: address, services: services, form: form)
        return (try await route.respond(call), call)
    }

    private static func reply(_ result: RouteResult) -> Reply {
        switch result {
        case .json(let status, let value, let headers): .json(status: status.code, value, headers: headers)
        case .list(let listing): .list(rows: listing.rows, columns: listing.columns, next: listing.next)
        case .bytes(_, let bytes, let type, _): .bytes(bytes, type: type)
        case .stream(let type, let body): .stream(type: type, body)
        case .empty: .empty
        }
    }
}

extension LocalAPI {
    /// What an error is to whoever asked.
    package static func failure(of error: any Error) -> Failure { error as? Failure ?? Failure(Problem(of: error)) }

    /// Reads a request's body, within its bounds, and does something with it.
    ///
    /// - Throws: ``Failure`` (413, 408, 415, 503); what the work throws.
    package func withBody<Value>(
        of request: HummingbirdCore.Request, most: Int, _ work: (ByteBuffer) async throws -> Value
    ) async throws -> Value {
        let body: (bytes: ByteBuffer, reserved: Int)
        do {
            body = try await RequestBodyReader.read(request, most: most, services.bodies, within: services.options.times.body)
        } catch {
            throw Failure(Problem(of: error))
        }
        defer { services.bodies.giveBack(body.reserved) }
        return try await work(body.bytes)
    }

    /// Runs some work on a connection of the pool for the API's own questions.
    package func database<Value: Sendable>(
        _ work: @escaping @Sendable (inout Postgres.Connection) throws -> Value
    ) async throws -> Value {
        try await services.database.run { database, _ in try work(&database) }
    }

    /// The same, for what takes long: passwords.
    package func passwords<Value: Sendable>(
        _ work: @escaping @Sendable (inout Postgres.Connection) throws -> Value
    ) async throws -> Value {
        try await services.signIns.run { database, _ in try work(&database) }
    }

    /// Whether somebody has no requests left; counts none.
    package func isSpent(_ subject: String) -> Bool { services.limiter.isSpent(subject) }

    /// Counts a request of somebody; nil: there are requests left, else the seconds to wait.
    package func counts(_ subject: String) -> Int? {
        let verdict = services.limiter.count(subject)
        return verdict.isAllowed ? nil : verdict.seconds
    }

    /// Whom a credential speaks for; nil: it does not hold.
    ///
    /// - Parameter isUse: whether it is noted that it was used.
    package func principal(_ bearer: Bearer, isUse: Bool = true) async throws -> Principal? {
        try await services.database.run { [services] database, directory in
            try directory.refresh(from: &database)
            let now = SystemClock.monotonicSeconds()
            guard let principal = try directory.principal(bearer, now: now, from: &database) else { return nil }
            if isUse { services.note(use: bearer.key, on: &database) }
            return principal
        }
    }

    package var options: APIOptions { services.options }
    package var logger: Logger { services.logger }
    package var platform: any Platform { services.platform }
}
