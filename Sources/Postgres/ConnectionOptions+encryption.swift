internal import CLibPQ
internal import Glibc

extension ConnectionOptions {
    /// The hosts outside of this machine that the URL names without asking for TLS: what is sent there can be read on the way. As libpq does, it
    /// takes from the environment (`PGHOST`, `PGHOSTADDR`, `PGSSLMODE`) what the URL leaves out.
    ///
    /// - Throws: a usage error if the URL cannot be read; it does not quote it.
    /// Source: [libpq, SSL Support](https://www.postgresql.org/docs/15/libpq-ssl.html#LIBPQ-SSL-PROTECTION): below `require` it is negotiable.
    public func unprotectedHosts() throws(PostgresError) -> [String] {
        var said: [String: String] = [:]
        guard let first = PQconninfoParse(url, nil) else {
            throw PostgresError(.usage, "the database URL is neither a libpq URI nor a keyword string")
        }
        defer { PQconninfoFree(first) }
        var option = first
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { said[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        func value(_ keyword: String, _ variable: String) -> String {
            said[keyword] ?? getenv(variable).map { String(cString: $0) } ?? ""
        }
        guard !["require", "verify-ca", "verify-full"].contains(value("sslmode", "PGSSLMODE")) else { return [] }
        let addresses = value("hostaddr", "PGHOSTADDR")
        let hosts = addresses.isEmpty ? value("host", "PGHOST") : addresses
        return hosts.split(separator: ",").map { String($0) }.filter { !Self.isThisMachine($0) }
    }

    /// A socket's folder, or a name or address of the loopback.
    private static func isThisMachine(_ host: String) -> Bool {
        host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1"
            || host.hasPrefix("127.")
                && host.split(separator: ".").count == 4 && host.split(separator: ".").allSatisfy { UInt8($0) != nil }
    }
}
