internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import People

/// An operator looks at an account as its administrator would: with a reason, for an hour, on record at both sides.
enum ImpersonationPages {
    static func ask(_ call: PageCall) async throws -> Page {
        guard call.visitor.isOperator else { throw LetterPages.notHere }
        let account = call.name("account")
        _ = try await call.get(PageCall.target(["accounts", account]))
        let box = FormBox(
            fields: [
                .init(
                    name: "reason", label: "Reason", hint: "Such as a ticket's number. The account reads it in its audit log.",
                    isRequired: true,
                    more: [Attribute("maxlength", "500")])
            ], submit: "Look as \(account)", cancel: "/accounts/\(RequestTarget.encode(account))")
        return Page(
            title: "Look as this account", place: "accounts",
            crumbs: [("Accounts", "/accounts"), (account, "/accounts/\(RequestTarget.encode(account))")],
            blocks: [
                .fixed {
                    section(.class("panel")) {
                        p {
                            "For an hour you see and may do what the account's administrators may, conversations and documents included. "
                            "It is written into the audit log of the platform and of the account."
                        }
                        box.html(call)
                    }
                }
            ], hasFiles: false)
    }

    static func begin(_ call: PageCall) async throws -> PageAnswer {
        guard call.visitor.isOperator else { throw LetterPages.notHere }
        let account = call.name("account")
        guard let reason = call.form["reason"], (1...500).contains(reason.unicodeScalars.count) else {
            throw LocalAPI.Failure.field("reason", "Say why, in 1 to 500 characters.")
        }
        let key = call.visitor.session.key
        let session = try await call.site.api.database {
            try ConsoleSession.impersonate(account, because: reason, as: key, on: &$0)
        }
        guard let session, let bearer = Bearer(session.token) else {
            throw LocalAPI.Failure.field("reason", "There is no such account, or your credential holds no longer.")
        }
        return .session(SessionCookie(bearer, behind: call.visitor.bearer), path: "/")
    }

    /// Back to the operator's own session.
    static func end(_ call: PageCall, isSecure: Bool) async throws -> Response {
        let (bearer, behind) = (call.visitor.bearer, call.visitor.behind)
        guard call.visitor.session.reason != nil else { return Response(status: .seeOther, headers: [.location: "/"]) }
        _ = try await call.site.api.database { try SignIn.end(bearer.key, by: bearer.key, on: &$0) }
        let cookie = behind.map { SessionCookie($0).header(isSecure: isSecure) } ?? SessionCookie.removal(isSecure: isSecure)
        let account = call.visitor.account.map { "/accounts/\(RequestTarget.encode($0))" } ?? "/"
        return Response(status: .seeOther, headers: [.location: account, .setCookie: cookie])
    }
}
