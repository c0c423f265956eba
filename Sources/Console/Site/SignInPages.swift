internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import People

/// Signing in, by e-mail address and password or by a credential, and out.
struct SignInPages: Sendable {
    let site: Site

    private static let mostBytes = 16 << 10

    func show(_ query: [(name: String, value: String)], status: HTTPResponse.Status) -> Response {
        page(
            next: query.first { $0.name == "next" }?.value, FormData(), nil, status,
            done: query.first { $0.name == "done" }?.value)
    }

    func act(_ request: Request, _ query: [(name: String, value: String)], _ address: String, isSecure: Bool) async throws
        -> Response
    {
        try await site.api.withBody(of: request, most: Self.mostBytes) { body in
            guard let form = FormData(body, contentType: request.headers[.contentType]) else {
                throw Refusal(.badRequest, "That form cannot be read", "Go back and try again.")
            }
            let next = form["next"] ?? query.first { $0.name == "next" }?.value
            do {
                let session = try await session(form, address)
                guard let bearer = Bearer(session.token) else { throw LocalAPI.failure(of: CancellationError()) }
                let cookie = SessionCookie(bearer).header(isSecure: isSecure)
                return Response(status: .seeOther, headers: [.location: Self.safe(next), .setCookie: cookie])
            } catch let failure as LocalAPI.Failure {
                return page(next: next, form, failure, .init(code: failure.status), done: nil)
            }
        }
    }

    func signOut(_ call: PageCall, isSecure: Bool) async throws -> Response {
        for bearer in [call.visitor.bearer, call.visitor.behind].compactMap({ $0 }) {
            _ = try await site.api.database { try SignIn.end(bearer.key, by: bearer.key, on: &$0) }
        }
        return Response(
            status: .seeOther,
            headers: [.location: "/sign-in?done=signedOut", .setCookie: SessionCookie.removal(isSecure: isSecure)])
    }

    /// - Throws: `LocalAPI.Failure` with what to tell.
    private func session(_ form: FormData, _ address: String) async throws -> SignIn.Session {
        if form.raw("form") == "credential" {
            let wrong = LocalAPI.Failure(
                status: 401, code: "unauthenticated", detail: "This is no credential that holds.", field: "/credential")
            guard let bearer = form["credential"].flatMap({ Bearer($0) }), try await site.api.principal(bearer) != nil,
                let session = try await site.api.database({ try ConsoleSession.open(with: bearer, on: &$0) })
            else { throw wrong }
            return session
        }
        guard let email = form["email"] else { throw LocalAPI.Failure.field("email", "Say your e-mail address.") }
        guard let password = form.raw("password"), !password.isEmpty else {
            throw LocalAPI.Failure.field("password", "Say your password.")
        }
        let (account, tenant) = (form["account"], form["tenant"])
        guard [email, password, account ?? "", tenant ?? ""].allSatisfy({ $0.utf8.count <= 1_024 }) else {
            throw LocalAPI.Failure.field("email", "That is too long.")
        }
        do {
            return try await site.api.passwords { database in
                try SignIn.run(email: email, password: password, account: account, tenant: tenant, from: address, on: &database)
            }
        } catch SignIn.Refusal.wrong {
            throw LocalAPI.Failure(
                status: 401, code: "unauthenticated", detail: "E-mail address or password are wrong.", field: "/password")
        } catch SignIn.Refusal.ambiguous {
            throw LocalAPI.Failure(
                status: 409, code: "conflict", detail: "You administer several accounts or chatbots: say which.",
                field: "/account")
        } catch SignIn.Refusal.throttled(let seconds) {
            throw LocalAPI.Failure(
                status: 429, code: "rate_limited", detail: "Too many wrong passwords. Try again in \(seconds) seconds.")
        }
    }

    /// A path of this site; anything else is the first page.
    private static func safe(_ next: String?) -> String {
        guard let next, next.hasPrefix("/"), !next.hasPrefix("//"), !next.hasPrefix("/\\"), !next.hasPrefix("/sign-"),
            next.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return "/" }
        return next
    }

    private func page(
        next: String?, _ typed: FormData, _ failure: LocalAPI.Failure?, _ status: HTTPResponse.Status, done: String?
    ) -> Response {
        let hidden = next.map { [("next", $0)] } ?? []
        let needsPlace = failure?.field == "/account" || typed["account"] != nil
        var fields = [
            FormBox.Field(
                name: "email", label: "E-mail address", control: .text(type: "email"), isRequired: true,
                more: [Attribute("autocomplete", "username")]),
            FormBox.Field(
                name: "password", label: "Password", control: .text(type: "password"), isRequired: true,
                more: [Attribute("autocomplete", "current-password")]),
        ]
        if needsPlace {
            fields.append(FormBox.Field(name: "account", label: "Account", hint: "Its short name, such as acme."))
            fields.append(FormBox.Field(name: "tenant", label: "Chatbot", hint: "If you look after one chatbot alone."))
        }
        let byPassword = FormBox(fields: fields, hidden: hidden, submit: "Sign in", id: "password")
        let byCredential = FormBox(
            fields: [
                FormBox.Field(
                    name: "credential", label: "Credential", control: .text(type: "password"),
                    hint: "An operator's, an account's or a token: <key>.<secret>.", isRequired: true,
                    more: [Attribute("autocomplete", "off")])
            ], hidden: hidden, submit: "Sign in with it", id: "credential")
        let document = Layout.document(title: "Sign in") {
            mainElement(.class("alone"), .id("main")) {
                div(.class("brand")) {
                    Layout.mark
                    "Tenantry"
                }
                h1 { "Sign in" }
                if done == Notice.signedOut.rawValue { div(.class("notice"), .role("status")) { Notice.signedOut.text } }
                byPassword.html(typed: typed, failure: failure, action: "/sign-in")
                details(.class("other-way"), typed.raw("form") == "credential" ? Attribute("open", nil) : nil) {
                    summaryElement { "Sign in with a credential" }
                    byCredential.html(typed: typed, failure: failure, action: "/sign-in")
                }
            }
        }
        return Layout.response(document, status: status)
    }
}
