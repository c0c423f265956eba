package import API
internal import Contract
internal import HTML
internal import HTTPTypes
package import Hummingbird
internal import Jobs
internal import Logging
internal import NIOCore
internal import People

/// The console: pages made here of the API's answers, with its rights, for operators, accounts and tenants.
package struct ConsoleServer: PageServer {
    private let site: Site
    private let signIn: SignInPages

    /// Looks at the fleet from time to time, for the plots; to be run beside the API.
    package let history: FleetHistory

    package init(_ api: LocalAPI, _ options: ConsoleOptions) {
        history = FleetHistory(api)
        site = Site(api: api, options: options, history: history)
        signIn = SignInPages(site: site)
    }

    package func respond(to request: Request, from address: String) async -> Response {
        var response: Response
        do {
            response = try await answer(request, address)
        } catch {
            response = failed(error, request)
        }
        addSecurityHeaders(&response, isSecure: isSecure(request))
        return request.method == .head ? response.createHeadResponse() : response
    }

    // MARK: The way of a request

    private func answer(_ request: Request, _ address: String) async throws -> Response {
        let target = request.head.path ?? "/"
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(halves[0])
        if let asset = Assets.byPath[path] { return Self.asset(asset) }
        guard let parts = RequestTarget.segments(halves[0]).map({ $0 == [""] ? [] : $0 }),
            let query = RequestTarget.parameters(halves.count == 2 ? halves[1] : "")
        else { throw Refusal(.badRequest, "This address cannot be read", "It is not percent-encoded UTF-8.") }
        guard [.get, .head, .post].contains(request.method) else {
            throw Refusal(.methodNotAllowed, "That is not how pages are asked for", "Pages take GET, and forms POST.")
        }
        if request.method == .post, CrossSite.isRefused(request.headers, host: request.head.authority) {
            throw Refusal(.forbidden, "This came from another site", "Forms of the console are taken from its own pages alone.")
        }
        // Whoever has no requests left costs the database nothing.
        if site.api.isSpent("address \(address)") { throw Refusal.tooMany(site.api.counts("address \(address)") ?? 1) }
        if path == "/sign-in" {
            try count("address \(address)")
            let isSecure = isSecure(request)
            return request.method == .post
                ? try await signIn.act(request, query, address, isSecure: isSecure) : signIn.show(query, status: .ok)
        }
        guard isPlace(parts, path, request.method) else {
            throw Refusal(.notFound, "There is nothing here", "The address is wrong.")
        }
        let cookie = SessionCookie(request.headers, isSecure: isSecure(request))
        guard let cookie, let visitor = try await visitor(of: cookie) else {
            try count("address \(address)")
            return signedOut(request, target, hadCookie: cookie != nil)
        }
        try count(visitor.session.key)
        let call = PageCall(site: site, visitor: visitor, path: path, names: [:], query: query, address: address)
        do {
            return try await answer(request, parts, call)
        } catch let failure as LocalAPI.Failure {
            return ErrorPage.response(failure, call)
        }
    }

    private func count(_ subject: String) throws(Refusal) {
        if let seconds = site.api.counts(subject) { throw .tooMany(seconds) }
    }

    /// Whether there is a page at a path, or a form goes to it; whoever is not signed in is told as much.
    private func isPlace(_ parts: [String], _ path: String, _ method: HTTPRequest.Method) -> Bool {
        if Site.find(parts) != nil || ["/sign-out", "/as"].contains(path) && method == .post { return true }
        guard let last = parts.last, let form = FileAnswer.Form(ending: last) else { return false }
        let bare = String(last.dropLast(form.ending.count))
        return Site.find(parts == [last] && bare == "index" ? [] : parts.dropLast() + [bare]) != nil
    }

    /// Who has the cookie; nil: nobody any more.
    private func visitor(of cookie: SessionCookie) async throws -> Visitor? {
        // Before this use of it is noted.
        guard let session = try await site.api.database({ try ConsoleSession.find(cookie.bearer.key, on: &$0) }) else {
            return nil
        }
        guard session.idleSeconds < ConsoleSession.mostIdleSeconds else {
            _ = try await site.api.database { try SignIn.end(cookie.bearer.key, by: cookie.bearer.key, on: &$0) }
            return nil
        }
        guard let principal = try await site.api.principal(cookie.bearer) else { return nil }
        return Visitor(session, principal, cookie, isReadOnly: site.options.isReadOnly)
    }

    private func answer(_ request: Request, _ parts: [String], _ base: PageCall) async throws -> Response {
        if base.path == "/sign-out", request.method == .post {
            return try await signIn.signOut(base, isSecure: isSecure(request))
        }
        if base.path == "/as", request.method == .post {
            return try await ImpersonationPages.end(base, isSecure: isSecure(request))
        }
        let (call, route, form) = try await found(parts, base, request)
        if let form { return try await FileAnswer.response(route, call, form) }
        if request.method == .post { return try await act(request, route, call) }
        if request.headers[.accept]?.hasPrefix("text/event-stream") == true {
            return try LiveStream.response(route, call)
        }
        return try await response(to: route.show(call), call, request)
    }

    /// The route of a path, with a file's ending taken off where there is nothing of the whole name.
    private func found(
        _ parts: [String], _ base: PageCall, _ request: Request
    ) async throws -> (PageCall, PageRoute, FileAnswer.Form?) {
        func call(_ names: [String: String], path: String) -> PageCall {
            PageCall(site: base.site, visitor: base.visitor, path: path, names: names, query: base.query, address: base.address)
        }
        if let last = parts.last, request.method != .post, let form = FileAnswer.Form(ending: last) {
            var bare = parts
            bare[bare.count - 1] = String(last.dropLast(form.ending.count))
            if bare == ["index"] { bare = [] }
            if let (route, names) = Site.find(bare) {
                let found = call(names, path: String(base.path.dropLast(form.ending.count)))
                let isItem = route.path.segments.last.map { if case .name = $0 { true } else { false } } ?? false
                let sources = route.sources(found)
                // There may be something whose own name ends so.
                let isWhole =
                    if isItem, let names = route.path.match(parts), let source = route.sources(call(names, path: base.path)).first
                    {
                        try await found.find(source.target) != nil
                    } else {
                        false
                    }
                if !sources.isEmpty, !isWhole { return (found, route, form) }
            }
        }
        guard let (route, names) = Site.find(parts) else { throw LocalAPI.Failure(status: 404, code: "not_found", detail: "") }
        let found = call(names, path: base.path)
        let form = request.method == .get ? FileAnswer.Form(accept: request.headers[.accept]) : nil
        return (found, route, form.flatMap { route.sources(found).isEmpty ? nil : $0 })
    }

    private func act(_ request: Request, _ route: PageRoute, _ call: PageCall) async throws -> Response {
        guard let act = route.act else {
            throw Refusal(.methodNotAllowed, "Nothing can be sent here", "This page only shows.")
        }
        guard !call.visitor.isReadOnly else {
            throw LocalAPI.Failure(status: 403, code: "forbidden", detail: "this console only shows (console.read_only)")
        }
        return try await site.api.withBody(of: request, most: route.mostBodyBytes) { body in
            guard let form = FormData(body, contentType: request.headers[.contentType]) else {
                throw LocalAPI.Failure(status: 400, code: "invalid_form", detail: "the form cannot be read")
            }
            var call = call
            call.form = form
            do {
                return try await response(to: act(call), call, request)
            } catch let failure as LocalAPI.Failure where ![401, 404].contains(failure.status) {
                call.failure = failure
                guard case .page(let page, _) = try await route.show(call) else { throw failure }
                return Layout.response(page, call, status: failure.status)
            }
        }
    }

    private func response(to answer: PageAnswer, _ call: PageCall, _ request: Request) async throws -> Response {
        switch answer {
        case .page(let page, let status): return Layout.response(page, call, status: status)
        case .redirect(let path, let notice):
            let mark = notice.map { (path.contains("?") ? "&" : "?") + "done=\($0.rawValue)" } ?? ""
            return Response(status: .seeOther, headers: [.location: path + mark])
        case .session(let cookie, let path):
            let isSecure = isSecure(request)
            let header = cookie?.header(isSecure: isSecure) ?? SessionCookie.removal(isSecure: isSecure)
            return Response(status: .seeOther, headers: [.location: path, .setCookie: header])
        case .file(let reply, let name): return FileAnswer.download(reply, name: name)
        }
    }

    // MARK: What is said without a session

    private func signedOut(_ request: Request, _ target: String, hadCookie: Bool) -> Response {
        if !ErrorPage.isWanted(request) || request.method == .post {
            return ErrorPage.refusal(Refusal(.unauthorized, "Sign in first", "The session is over, or there was none."), request)
        }
        var place = "/sign-in"
        if target != "/" { place += "?next=\(RequestTarget.encode(target))" }
        var headers: HTTPFields = [.location: place]
        if hadCookie { headers[.setCookie] = SessionCookie.removal(isSecure: isSecure(request)) }
        return Response(status: .seeOther, headers: headers)
    }

    private func failed(_ error: any Error, _ request: Request) -> Response {
        if let refusal = error as? Refusal { return ErrorPage.refusal(refusal, request) }
        let failure = LocalAPI.failure(of: error)
        if failure.status >= 500 {
            site.api.logger.warning("page failed", metadata: ["error": "\(error)", "http.status": "\(failure.status)"])
        }
        return ErrorPage.refusal(Refusal(.init(code: failure.status), "That did not work", failure.detail), request)
    }

    // MARK: Headers

    /// Whether the browser speaks TLS: to us, or to the proxy before us.
    private func isSecure(_ request: Request) -> Bool {
        if site.api.options.certificateFile != nil { return true }
        return site.api.options.isBehindProxy && request.headers[HTTPField.Name("X-Forwarded-Proto")!]?.lowercased() != "http"
    }

    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    private func addSecurityHeaders(_ response: inout Response, isSecure: Bool) {
        response.headers[.contentSecurityPolicy] = response.headers[.contentSecurityPolicy] ?? Self.contentSecurityPolicy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[HTTPField.Name("Referrer-Policy")!] = "same-origin"
        response.headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] = "same-origin"
        response.headers[HTTPField.Name("X-Frame-Options")!] = "DENY"
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    }

    private static func asset(_ asset: Assets.Asset) -> Response {
        Response(
            status: .ok, headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
            body: ResponseBody(byteBuffer: asset.bytes))
    }
}

/// Why there is no page, for whom a plain one is enough.
struct Refusal: Error {
    let status: HTTPResponse.Status
    let title: String
    let text: String
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ title: String, _ text: String) {
        self.status = status
        self.title = title
        self.text = text
    }

    static func tooMany(_ seconds: Int) -> Refusal {
        var refusal = Refusal(.tooManyRequests, "Too many requests", "Try again in \(seconds) seconds.")
        refusal.headers[.retryAfter] = "\(seconds)"
        return refusal
    }
}
