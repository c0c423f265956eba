internal import Contract
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Logging
internal import Metrics
internal import NIOCore
internal import Postgres

/// What a request comes by.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Takes a request through all checks to its route, and its answer back.
struct APIResponder: HTTPResponder {
    typealias Context = APIContext

    let table: RouteTable
    let services: Services
    /// Answers whatever is not below `/v1`; nil: there is nothing.
    var pages: (any PageServer)?

    /// A request's line may have so many bytes.
    static let mostTargetBytes = 8 << 10

    func respond(to request: Request, context: APIContext) async throws -> Response {
        if let pages, isPage(request) { return await pages.respond(to: request, from: address(of: request, context)) }
        let began = SystemClock.monotonicSeconds()
        var found: Route?
        var rate: RateLimiter.Verdict?
        var response: Response
        do {
            response = try await answer(request, context, &found, &rate)
        } catch {
            let problem = Problem(of: error)
            if problem.status.kind == .serverError {
                services.logger.warning(
                    "request failed",
                    metadata: [
                        "http.route": "\(found?.name ?? "none")", "http.status": "\(problem.status.code)", "error": "\(error)",
                    ])
            }
            response = self.response(to: problem)
        }
        addGeneralHeaders(&response, request, rate)
        count(found, request, response.status, seconds: SystemClock.monotonicSeconds() - began)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func isPage(_ request: Request) -> Bool {
        guard let path = request.head.path, path.utf8.count <= Self.mostTargetBytes else { return false }
        return path != "/v1" && !path.hasPrefix("/v1/") && !path.hasPrefix("/v1?")
    }

    // MARK: The way of a request

    private func answer(
        _ request: Request, _ context: APIContext, _ found: inout Route?, _ rate: inout RateLimiter.Verdict?
    ) async throws -> Response {
        let address = address(of: request, context)
        do {
            try checkHead(request)
        } catch {
            rate = try counted("address \(address)")
            throw error
        }
        let target = request.head.path ?? "/"
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts = RequestTarget.segments(halves[0]) else {
            rate = try counted("address \(address)")
            throw Problem.notFound("there is nothing at this path")
        }
        if request.method == .options, let preflight = preflight(request) {
            rate = try counted("address \(address)")
            return preflight
        }
        let route: Route
        let names: [String: String]
        do {
            (route, names) = try table.find(request.method, parts)
        } catch {
            rate = try counted("address \(address)")
            throw error
        }
        found = route
        let caller = try await caller(of: request, route, names, address, &rate)
        let query = try Query(halves.count == 2 ? halves[1] : "", route.query)
        let form = try Form.wanted(for: route, request.headers)
        let body = try await RequestBodyReader.read(
            request, most: Gate.mostBodyBytes(of: caller, to: route), services.bodies, within: services.options.times.body)
        defer { services.bodies.giveBack(body.reserved) }
        let call = Call(
            route: route, names: names, query: query, headers: request.headers, body: body.bytes, asker: caller, address: address,
            services: services, form: form)
        let reply = try await route.respond(call)
        return response(to: reply, form, call, path: String(halves[0]))
    }

    private func checkHead(_ request: Request) throws(Problem) {
        if (request.head.path?.utf8.count ?? 0) > Self.mostTargetBytes {
            throw Problem(
                status: .uriTooLong, code: "uri_too_long",
                detail: "the request's line has more than \(Self.mostTargetBytes) bytes")
        }
        let bytes = request.headers.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 4 }
        if bytes > Problem.mostHeaderBytes { throw .headersTooLarge }
    }

    /// Who asks, if the route wants to know, and that they may.
    private func caller(
        of request: Request, _ route: Route, _ names: [String: String], _ address: String, _ rate: inout RateLimiter.Verdict?
    ) async throws -> Caller? {
        if case .open = route.right {
            rate = try counted("address \(address)")
            return nil
        }
        let bearer: Bearer
        let caller: Caller
        do {
            bearer = try Self.bearer(request.headers)
            // Whoever has no requests left costs the database nothing.
            if services.limiter.isSpent("address \(address)") { _ = try counted("address \(address)") }
            if services.limiter.isSpent(bearer.key) { _ = try counted(bearer.key) }
            let slug = route.isOfTenant ? names["slug"] : nil
            caller = try await services.database.run { [services] database, directory in
                let caller = try Caller.identify(bearer, tenant: slug, directory, &database)
                services.note(use: bearer.key, on: &database)
                return caller
            }
        } catch let problem as Problem {
            rate = try counted("address \(address)")
            throw problem
        }
        rate = try counted(bearer.key)
        try Gate.check(caller, route, names)
        return caller
    }

    private static func bearer(_ headers: HTTPFields) throws(Problem) -> Bearer {
        let given = headers[values: .authorization]
        guard given.count == 1, given[0].lowercased().hasPrefix("bearer "), let bearer = Bearer(given[0].trimmed) else {
            throw .unauthenticated
        }
        return bearer
    }

    private func counted(_ subject: String) throws(Problem) -> RateLimiter.Verdict {
        let verdict = services.limiter.count(subject)
        guard verdict.isAllowed else {
            var problem = Problem.rateLimited(
                "more than \(services.limiter.perMinute) requests in a minute", retryAfterSeconds: verdict.seconds)
            problem.headers.merge(headers(of: verdict)) { $1 }
            throw problem
        }
        return verdict
    }

    private func address(of request: Request, _ context: APIContext) -> String {
        if services.options.isBehindProxy, let forwarded = request.headers[HTTPField.Name("X-Forwarded-For")!] {
            return Self.network(of: Self.forwarded((forwarded.split(separator: ",").last ?? "").trimmed))
        }
        return Self.network(of: context.channel.remoteAddress)
    }

    /// An address as proxies write it, with its port or without.
    private static func forwarded(_ text: String) -> SocketAddress? {
        var text = text[...]
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[..<end].dropFirst()
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
            text = text.prefix { $0 != ":" }
        }
        // What is no address is counted with all others that are none.
        return try? SocketAddress(ipAddress: String(text), port: 0)
    }

    /// Whoever has one address of IPv6 has all of its network.
    private static func network(of address: SocketAddress?) -> String {
        guard let text = address?.ipAddress else { return "unknown" }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &bytes) == 1, !bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) else {
            return text
        }
        return "\(bytes.prefix(8))"
    }

    // MARK: The answer

    private func response(to reply: RouteResult, _ form: Form, _ call: Call, path: String) -> Response {
        switch reply {
        case .json(let status, let value, var headers):
            headers[.contentType] = Form.json.rawValue
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialised())))
        case .list(let listing):
            var headers: HTTPFields = [.contentType: form == .csv ? "text/csv; charset=utf-8; header=present" : form.rawValue]
            if let next = listing.next {
                headers[HTTPField.Name("Link")!] = "<\(path)?\(call.query.encoded(with: next))>; rel=\"next\""
            }
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: listing.bytes(in: form)))
        case .bytes(let status, let bytes, let type, var headers):
            headers[.contentType] = type
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: bytes))
        case .stream(let type, let body):
            return Response(status: .ok, headers: [.contentType: type], body: body)
        case .empty(let status, let headers):
            return Response(status: status, headers: headers)
        }
    }

    private func response(to problem: Problem) -> Response {
        var headers: HTTPFields = [.contentType: Problem.mediaType]
        for (name, value) in problem.headers { headers[name] = value }
        return Response(
            status: problem.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: problem.json.serialised()))
        )
    }

    private func addGeneralHeaders(_ response: inout Response, _ request: Request, _ rate: RateLimiter.Verdict?) {
        if let rate { for (name, value) in headers(of: rate) { response.headers[name] = value } }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        response.headers[HTTPField.Name("X-Content-Type-Options")!] = "nosniff"
        let key = HTTPField.Name("Idempotency-Key")!
        if response.headers[key] == nil, let given = request.headers[key] { response.headers[key] = given }
        // What is left of a body that nobody reads would be taken for the next request.
        if response.status.code == 408 || response.status.code == 413 { response.headers[.connection] = "close" }
        addCrossOrigin(&response, request)
    }

    /// As the IETF's draft-ietf-httpapi-ratelimit-headers-10 has them.
    private func headers(of verdict: RateLimiter.Verdict) -> [HTTPField.Name: String] {
        [
            HTTPField.Name("RateLimit")!: "\"default\";r=\(verdict.remaining);t=\(verdict.seconds)",
            HTTPField.Name("RateLimit-Policy")!:
                "\"default\";q=\(services.limiter.perMinute);w=\(Int(RateLimiter.windowSeconds))",
        ]
    }

    private func count(_ route: Route?, _ request: Request, _ status: HTTPResponse.Status, seconds: Double) {
        let labels = [("route", route?.path.text ?? "none"), ("method", route?.method.rawValue ?? "other")]
        Counter(label: "tenantry_http_requests_total", dimensions: labels + [("status", "\(status.code)")]).increment()
        Recorder(label: "tenantry_http_request_seconds", dimensions: labels, aggregate: true).record(seconds)
    }
}

// MARK: - Other origins

extension APIResponder {
    private func origin(of request: Request) -> String? {
        guard let origin = request.headers[.origin], services.options.corsOrigins.contains(origin) else { return nil }
        return origin
    }

    /// The answer to a browser's question whether a page of another origin may ask.
    private func preflight(_ request: Request) -> Response? {
        guard origin(of: request) != nil, request.headers[.accessControlRequestMethod] != nil else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, POST, PATCH, DELETE",
                .accessControlAllowHeaders: "Authorization, Content-Type, Idempotency-Key, If-Match, Prefer, Accept, traceparent",
                .accessControlMaxAge: "600",
            ])
    }

    private func addCrossOrigin(_ response: inout Response, _ request: Request) {
        guard let origin = origin(of: request) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.vary] = "Origin"
        response.headers[.accessControlExposeHeaders] =
            "ETag, Link, Location, Idempotency-Key, Idempotency-Replayed, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After"
    }
}
