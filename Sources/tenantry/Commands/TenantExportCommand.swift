internal import ArgumentParser
internal import Contract
internal import FoundationEssentials
internal import Glibc
internal import Jobs
internal import Postgres
internal import Tenants

struct TenantExportCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes all that a tenant has as JSON Lines, from one snapshot.",
        discussion: """
            One JSON object a line: a tenant, its settings, documents with their chunks, conversations, messages with their ratings, and an end \
            with the number of lines before it. Works for suspended and archived tenants, too. A file stands under its name when it is whole.
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The tenant's slug.")
    var tenant: String
    @Option(name: .shortAndLong, help: ArgumentHelp("Where to (default: standard output).", valueName: "file"))
    var output: String?

    func run(with settings: Settings) throws {
        var database = try Connection(try settings.readersDatabase(name: "tenantry export"))
        try AccessRecord.write(.export, of: tenant, by: .user(commandActor()), on: &database)
        let sink = try LineSink(output)
        var bar = ProgressBar("exporting", total: nil)
        var done = 0
        let lines: Int64
        do {
            lines = try TenantExport.run(
                tenant, on: &database, begin: { bar = ProgressBar("exporting", total: Int($0) + 1) },
                line: { line in
                    try sink.write(line)
                    done += 1
                    bar.update(done)
                })
            try sink.finish()
        } catch let rejection as Rejection {
            throw Failure(rejection.message)
        }
        bar.finish()
        writeError("\(lines) lines of tenant \(tenant) written\n")
    }
}
