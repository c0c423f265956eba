internal import ArgumentParser
internal import Schema
internal import Synchronization

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the control schema and every tenant's schema up to date.",
        discussion: "Safe to interrupt and to run again: what is done is noted in tenantry.migrations.")

    @OptionGroup var server: ServerOptions

    @Option(help: "Tenants migrated at the same time.")
    var parallel = Count(4)

    func run() async throws {
        let settings = try await Settings(server)
        let bar = Mutex<ProgressBar?>(nil)
        let report = try Migrator(try settings.database(name: "tenantry migrate")).run(parallelism: parallel.value) {
            done, total in
            bar.withLock { bar in
                if bar == nil { bar = ProgressBar("migrating tenants", total: total) }
                bar?.update(done)
            }
        }
        bar.withLock { $0?.finish() }
        print("control schema: \(report.control) migrations applied; tenants: \(report.tenants) brought up to date")
    }
}
