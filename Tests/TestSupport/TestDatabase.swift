internal import Embedded
internal import Jobs
internal import Metering
public import Postgres
internal import Schema

/// A database of a test's own on the shared server, copied from a template that is made once: with the control schema, ``TestFleet/plans`` and
/// an operator. It is dropped when nobody holds this any more.
public final class TestDatabase: Sendable {
    /// `<key>.<secret>` of the operator in every one of them.
    public static var operatorToken: String { bearer.token }

    private static let bearer = Bearer.make(prefix: "op")

    /// `postgresql://…/test_1`
    public let url: String
    private let name: String

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
        _ = try Migrator(options).run()
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
        return TestDatabase(name: name, url: server.url(database: name) ?? "")
    }

    /// With the sessions in it: a test that failed may have left a worker behind.
    func drop(_ name: String) throws {
        try connection?.run(script: "drop database \(name) with (force)")
    }
}
