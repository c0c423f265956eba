internal import Embedded
internal import Jobs
internal import Metering
public import Postgres
public import Schema

/// A database of a test's own on the shared server, copied from a template that is made once: with the control schema, ``TestFleet/plans`` and
/// an operator. It is dropped when nobody holds this any more.
public final class TestDatabase: Sendable {
    /// `<key>.<secret>` of the operator in every one of them.
    public static var operatorToken: String { bearer.token }

    private static let bearer = Bearer.make(prefix: "op")

    /// `postgresql://…/test_1`, as the owner.
    public let url: String
    /// The same as a worker, a reader and the API get at it.
    public var workerURL: String { Self.url(as: .worker, of: url) }
    public var readerURL: String { Self.url(as: .reader, of: url) }
    public var apiURL: String { Self.url(as: .api, of: url) }
    private let name: String

    /// Roles belong to a server, so all its databases have the same.
    private static let rolePassword = RoleRequest.randomPassword()

    /// The URL as another role, on any server where ``prepare(_:)`` was.
    public static func url(as role: DatabaseRole, of url: String) -> String {
        // The tests' own URLs are URIs.
        try! ConnectionOptions(url: url).url(as: name(of: role), password: rolePassword)
    }

    public static func workerURL(of url: String) -> String { Self.url(as: .worker, of: url) }
    public static func apiURL(of url: String) -> String { Self.url(as: .api, of: url) }

    /// `test_worker`, `test_reader`, `test_api`.
    public static func name(of role: DatabaseRole) -> String { "test_\(role.rawValue)" }

    init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    deinit {
        // Aside: the next test need not wait for it. What is not done when the process ends goes with the server.
        Task { [name] in try? await DatabaseTemplate.shared.drop(name) }
    }

    /// Puts the same into an empty database, on a server of the test's own.
    public static func prepare(_ options: ConnectionOptions) throws {
        _ = try Migrator(options).run(
            roles: DatabaseRole.allCases.map { RoleRequest($0, name: name(of: $0), .made(password: rolePassword)) })
        var database = try Connection(options)
        _ = try Plan.apply(TestFleet.plans, on: &database)
        _ = try database.query(
            "insert into tenantry.credentials (key, role, name, secret_hash) values ($1, 'operator', 'test', $2)", bearer.key,
            bearer.secretHash)
    }
}

/// Makes and drops the databases, over one connection that stays.
actor DatabaseTemplate {
    static let shared = DatabaseTemplate()

    private static let name = "tenantry_template"
    private var making: Task<Void, any Error>?
    private var connection: Connection?

    func copy() async throws -> TestDatabase {
        let server = try await TestServers.shared.database()
        let task =
            making
            ?? Task { try TestDatabase.prepare(ConnectionOptions(url: try await server.createDatabase(Self.name))) }
        making = task
        try await task.value
        let name = await TestServers.shared.newDatabaseName()
        if connection == nil { connection = try Connection(ConnectionOptions(url: server.url(database: "postgres") ?? "")) }
        // Copying files takes half the time of logging every block, and nothing here has to outlive a power cut.
        try connection!.run(script: "create database \(name) template \(Self.name) strategy file_copy")
        // What everybody may in a database is not copied with it.
        try connection!.run(script: "revoke temporary on database \(name) from public")
        return TestDatabase(name: name, url: server.url(database: name) ?? "")
    }

    /// With the sessions in it: a test that failed may have left a worker behind.
    func drop(_ name: String) throws {
        try connection?.run(script: "drop database \(name) with (force)")
    }
}
