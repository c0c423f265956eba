internal import CLibPQ

extension ConnectionOptions {
    /// The user and the password that the URL names; nil where it names none.
    ///
    /// - Throws: a usage error if it is neither a libpq URI nor a keyword string.
    public func credentials() throws(PostgresError) -> (user: String?, password: String?) {
        let parameters = try Self.parameters(of: url)
        func value(_ keyword: String) -> String? { parameters.first { $0.keyword == keyword }?.value }
        return (value("user"), value("password"))
    }

    /// The URI that reaches the same database as another user.
    ///
    /// What proves the first user to the server, such as a client certificate, is left out.
    /// - Throws: a usage error if the URL is neither a libpq URI nor a keyword string.
    public func url(as user: String, password: String) throws(PostgresError) -> String {
        let own: Set<String> = ["user", "password", "passfile", "sslcert", "sslkey", "sslpassword"]
        var parameters = try Self.parameters(of: url).filter { !own.contains($0.keyword) }
        func take(_ keyword: String) -> String? {
            guard let index = parameters.firstIndex(where: { $0.keyword == keyword }) else { return nil }
            return parameters.remove(at: index).value
        }
        var text = "postgresql://\(Self.encoded(user)):\(Self.encoded(password))@"
        // Several hosts, and the folder of a socket, can be said after the question mark alone.
        if let host = parameters.first(where: { $0.keyword == "host" })?.value, Self.encoded(host) == host {
            text += take("host") ?? ""
            if let port = take("port") { text += ":" + port }
        }
        text += "/" + Self.encoded(take("dbname") ?? "")
        let rest = parameters.map { "\($0.keyword)=\(Self.encoded($0.value))" }
        return rest.isEmpty ? text : text + "?" + rest.joined(separator: "&")
    }

    /// What a URL says, by libpq's keywords, in libpq's order. libpq's own message would quote the URL, so it is not repeated.
    static func parameters(of url: String) throws(PostgresError) -> [(keyword: String, value: String)] {
        guard let first = PQconninfoParse(url, nil) else {
            throw PostgresError(.usage, "the database URL is neither a libpq URI nor a keyword string")
        }
        defer { PQconninfoFree(first) }
        var parameters: [(String, String)] = []
        var option = first
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters.append((String(cString: keyword), String(cString: value))) }
            option += 1
        }
        return parameters
    }

    /// Percent-encoded but for letters, digits and `-._`.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }.joined()
    }
}
