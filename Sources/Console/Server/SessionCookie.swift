internal import HTTPTypes
internal import Jobs

/// A browser's cookie: the session's credential, and, while an operator looks at an account, the operator's own behind it.
struct SessionCookie: Sendable {
    let bearer: Bearer
    var behind: Bearer?

    /// Whether the browser speaks TLS to us, or to a proxy before us. A `__Host-` cookie without it would be dropped.
    private static func name(isSecure: Bool) -> String { isSecure ? "__Host-tenantry" : "tenantry" }

    init(_ bearer: Bearer, behind: Bearer? = nil) {
        self.bearer = bearer
        self.behind = behind
    }

    /// nil: there is none.
    init?(_ headers: HTTPFields, isSecure: Bool) {
        let wanted = Self.name(isSecure: isSecure) + "="
        let cookies = headers[values: .cookie].flatMap { $0.split(separator: ";") }
        guard let found = cookies.map({ $0.drop { $0 == " " } }).first(where: { $0.hasPrefix(wanted) }) else { return nil }
        let tokens = found.dropFirst(wanted.count).split(separator: "~", maxSplits: 1)
        guard let first = tokens.first.flatMap({ Bearer(String($0)) }) else { return nil }
        bearer = first
        behind = tokens.count == 2 ? Bearer(String(tokens[1])) : nil
    }

    /// The header that gives it to the browser, which has it for its own paths alone and shows it to no script.
    func header(isSecure: Bool) -> String {
        let value = bearer.token + (behind.map { "~\($0.token)" } ?? "")
        return Self.header(value, seconds: 12 * 3_600, isSecure)
    }

    /// The header that takes it away.
    static func removal(isSecure: Bool) -> String { header("", seconds: 0, isSecure) }

    private static func header(_ value: String, seconds: Int, _ isSecure: Bool) -> String {
        "\(name(isSecure: isSecure))=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")"
    }
}
