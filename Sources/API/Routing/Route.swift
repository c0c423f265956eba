internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import Postgres

/// A path and a method, with all that is known of them: the router, the checks before anything is done and the OpenAPI document go by it.
struct Route: Sendable {
    let method: HTTPRequest.Method
    let path: PathPattern
    /// One sentence.
    let summary: String
    let right: Right
    var query: [QueryParameter] = []
    /// nil: it takes none.
    var body: RequestBody?
    let success: Success
    let respond: @Sendable (Call) async throws -> RouteResult

    enum Right: Sendable {
        /// Whoever there is.
        case open
        case reading(Reading)
        case kind(Kind)
        /// Whoever may send some kind; which one it is, the route looks for itself.
        case anyKind
    }

    /// What is answered where all went well.
    struct Success: Sendable {
        let status: HTTPResponse.Status
        var schema: JSONValue?
        /// Other answers that are as good.
        var also: [(status: HTTPResponse.Status, schema: JSONValue)] = []
        /// Besides `application/json`, or instead of it where there is no schema.
        var otherTypes: [String] = []
        /// Whether it is a list, with the lists' conventions.
        var isList = false
        /// Whether it has an `ETag`.
        var isTagged = false
        /// Whether 202 may come instead.
        var mayBePending = false
    }

    /// Unique, for the OpenAPI document and the metrics.
    var name: String { "\(method.rawValue) \(path.text)" }

    /// Whether it is about the tenant `{slug}`.
    var isOfTenant: Bool {
        path.segments.count > 2 && path.segments[1] == .literal("tenants") && path.segments[2] == .name("slug")
    }
}

/// What a request may send.
struct RequestBody: Sendable {
    enum Content: Sendable {
        /// JSON of this schema.
        case json(JSONValue, example: JSONValue)
        /// A text of any of these types; the example is of the first.
        case texts([String], example: String)
        /// A text of this type that means JSON of the schema.
        case meaning(String, JSONValue, example: JSONValue)
    }

    let content: [Content]
    let mostBytes: Int
    var isRequired = true

    static func json(
        _ schema: JSONValue, example: JSONValue, mostBytes: Int = Kind.standardBodyLimitBytes, isRequired: Bool = true
    ) -> RequestBody {
        RequestBody(content: [.json(schema, example: example)], mostBytes: mostBytes, isRequired: isRequired)
    }
}

/// Who asks, and about which tenant.
struct Caller: Sendable {
    let principal: Principal
    /// The credential as it came: `<key>.<secret>`.
    let credential: String
    let tenant: TenantRecord?

    /// Whose lists these are: an account's; nil: an operator's, who sees all.
    var account: String? { principal.role == .operator || principal.role == .fleet ? nil : principal.account }

    /// Who a credential stands for, and the tenant that a path names.
    ///
    /// - Throws: `Problem` (401) where it does not hold.
    static func identify(
        _ bearer: Bearer, tenant slug: String?, _ directory: Directory, _ database: inout Postgres.Connection
    ) throws -> Caller {
        try directory.refresh(from: &database)
        let now = SystemClock.monotonicSeconds()
        guard let principal = try directory.principal(bearer, now: now, from: &database) else { throw Problem.unauthenticated }
        var tenant: TenantRecord?
        if let slug {
            if directory.tenant(slug, now: now) == nil { try directory.load(tenants: [slug], now: now, from: &database) }
            tenant = directory.tenant(slug, now: now)
        }
        return Caller(principal: principal, credential: bearer.token, tenant: tenant)
    }
}

/// A request whose credential, right, tenant and parameters are checked.
struct Call: Sendable {
    let route: Route
    /// The names of the path.
    let names: [String: String]
    let query: Query
    let headers: HTTPFields
    let body: ByteBuffer
    /// nil: nobody was asked who they are.
    let asker: Caller?
    /// The other end's address.
    let address: String
    let services: Services
    /// In what form the answer is asked for.
    let form: Form

    var caller: Caller {
        get throws(Problem) {
            guard let asker else { throw .unauthenticated }
            return asker
        }
    }

    func name(_ name: String) -> String { names[name] ?? "" }

    /// Runs some work on a connection to the database, within the share of the asker's account.
    func database<Value: Sendable>(
        _ work: @escaping @Sendable (inout Postgres.Connection, Directory) throws -> Value
    ) async throws -> Value {
        try await services.database.run(for: asker?.account, work)
    }

    /// The tenant that the path names.
    var tenant: TenantRecord {
        get throws(Problem) {
            guard let tenant = try caller.tenant else { throw .noTenant(name("slug")) }
            return tenant
        }
    }

    /// The media type of the body, without its parameters, in lower case; nil: none was said.
    var mediaType: String? {
        headers[.contentType].map { $0.prefix { $0 != ";" }.trimmed.lowercased() }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    package var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}

/// What a route answers.
enum RouteResult: Sendable {
    case json(HTTPResponse.Status, JSONValue, HTTPFields = [:])
    /// A page of a list, in the form that is asked for.
    case list(Listing)
    case bytes(HTTPResponse.Status, ByteBuffer, type: String, HTTPFields = [:])
    case stream(type: String, ResponseBody)
    case empty(HTTPResponse.Status, HTTPFields = [:])
}

/// A page of a list.
struct Listing: Sendable {
    let rows: [JSONValue]
    /// The members of each row, in order.
    let columns: [String]
    /// Where the next page begins; nil: this is the last one.
    let next: String?
}
