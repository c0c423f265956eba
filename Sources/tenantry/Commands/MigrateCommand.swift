internal import ArgumentParser
internal import Postgres
internal import Schema
internal import Synchronization

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the control schema and every tenant's schema up to date.",
        discussion: """
            Safe to interrupt and to run again: what is done is noted in tenantry.migrations.

            With --roles it makes login roles for workers, readers and the HTTP API, and prints their URLs; a password that it made is shown this once. \
            If TENANTRY_WORKER_DATABASE_URL, TENANTRY_READER_DATABASE_URL or TENANTRY_API_DATABASE_URL is set, name and password are those of \
            the URL. Roles that an administrator has made are named with --worker-role, --reader-role and --api-role. Later runs keep the \
            grants of all up to date by themselves.
            """)

    @OptionGroup var server: ServerOptions

    @Option(help: "Tenants migrated at the same time.")
    var parallel = Count(4)

    @Flag(help: "Make the roles of workers, readers and the API, where they are not there yet.")
    var roles = false

    @Option(
        help: ArgumentHelp("Role that gets a worker's grants (with --roles, by default: <database>_worker).", valueName: "name"))
    var workerRole: String?

    @Option(
        help: ArgumentHelp("Role that gets a reader's grants (with --roles, by default: <database>_reader).", valueName: "name"))
    var readerRole: String?

    @Option(help: ArgumentHelp("Role that gets the API's grants (with --roles, by default: <database>_api).", valueName: "name"))
    var apiRole: String?

    func run() async throws {
        let settings = try await Settings(server)
        let owner = try settings.database(name: "tenantry migrate")
        let requests = try requests(settings)
        let bar = Mutex<ProgressBar?>(nil)
        let report = try Migrator(owner).run(parallelism: parallel.value, roles: requests) { done, total in
            bar.withLock { bar in
                if bar == nil { bar = ProgressBar("migrating tenants", total: total) }
                bar?.update(done)
                if done == total {
                    bar?.finish()
                    bar = nil
                }
            }
        }
        bar.withLock { $0?.finish() }
        print("control schema: \(report.control) migrations applied; tenants: \(report.tenants) brought up to date")
        for role in report.roles {
            guard let password = role.newPassword else {
                print("\(role.role.rawValue): role \(role.name) has its grants")
                continue
            }
            print("TENANTRY_\(role.role.rawValue.uppercased())_DATABASE_URL=\(try owner.url(as: role.name, password: password))")
        }
    }

    private func requests(_ settings: Settings) throws -> [RoleRequest] {
        try DatabaseRole.allCases.compactMap { role in
            let option = self.option(of: role)
            guard roles else { return option.map { RoleRequest(role, name: $0, .given) } }
            guard let url = settings.ownURL(of: role) else { return RoleRequest(role, name: option, .made(password: nil)) }
            let variable = "TENANTRY_\(role.rawValue.uppercased())_DATABASE_URL"
            let (user, password) = try ConnectionOptions(url: url).credentials()
            guard let user else { throw Failure("\(variable) names no user: --roles makes the role that it names") }
            if let option, option != user {
                throw Failure("--\(role.rawValue)-role is \(option), and \(variable) names \(user): leave one of them out")
            }
            return RoleRequest(role, name: user, .made(password: password))
        }
    }
    private func option(of role: DatabaseRole) -> String? {
        switch role {
        case .worker: workerRole
        case .reader: readerRole
        case .api: apiRole
        }
    }
}
