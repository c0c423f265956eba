internal import FoundationEssentials
internal import Glibc

/// Where Debian puts the servers' own binaries. The wrappers in `/usr/bin` and `/usr/sbin` are passed by: they are slower, and
/// RabbitMQ's drops to the user and the data of the system's own node.
public struct ServerPrograms: Sendable {
    /// Holds one folder for each installed major version of PostgreSQL.
    public var postgresRoot = "/usr/lib/postgresql"
    /// Holds `rabbitmq-server` and `rabbitmqctl`.
    public var rabbitFolder = "/usr/lib/rabbitmq/bin"
    /// Where `sh`, `epmd`, `erl` and `setpriv` are looked for; also the servers' own `PATH`.
    public var searchPath = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    public init() {}

    /// The folder of PostgreSQL's binaries: of the given major version, which existing data asks for, or of the newest one.
    /// - Throws: ``EmbeddedError`` naming the package.
    func postgresFolder(version: String?) throws -> String {
        // No such folder is no version installed, which is said below.
        let installed = ((try? FileManager.default.contentsOfDirectory(atPath: postgresRoot)) ?? [])
            .filter { isProgram("\(postgresRoot)/\($0)/bin/postgres") && isProgram("\(postgresRoot)/\($0)/bin/initdb") }
        let newest = installed.max { (Double($0) ?? 0) < (Double($1) ?? 0) }
        guard let chosen = version ?? newest, installed.contains(chosen) else {
            let package = version.map { "postgresql-\($0)" } ?? "postgresql"
            throw EmbeddedError("There is no PostgreSQL server \(version ?? "") under \(postgresRoot).", missingPackage: package)
        }
        return "\(postgresRoot)/\(chosen)/bin"
    }

    func rabbit(_ name: String) throws -> String {
        let path = "\(rabbitFolder)/\(name)"
        guard isProgram(path) else { throw EmbeddedError("There is no \(path).", missingPackage: "rabbitmq-server") }
        return path
    }

    func tool(_ name: String, package: String) throws -> String {
        guard let path = searchPath.lazy.map({ "\($0)/\(name)" }).first(where: isProgram) else {
            throw EmbeddedError("There is no \(name) in \(searchPath.joined(separator: ":")).", missingPackage: package)
        }
        return path
    }

    private func isProgram(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
