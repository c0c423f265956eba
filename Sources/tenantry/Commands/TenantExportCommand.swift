internal import ArgumentParser
internal import Contract
internal import FoundationEssentials
internal import Glibc
internal import Postgres
internal import Tenants

struct TenantExportCommand: AsyncParsableCommand {
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

    func run() async throws {
        try run(with: try await Settings(server))
    }

    private func run(with settings: Settings) throws {
        var database = try Connection(try settings.database(name: "tenantry export"))
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

/// Lines on their way to standard output or a file, many in one write.
private final class LineSink {
    private static let bufferBytes = 1 << 18
    private let path: String?
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// A file is written under this name, and has its own when it is whole.
    private var partPath: String? { path.map { $0 + ".part" } }

    init(_ path: String?) throws {
        self.path = path
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be written: \(systemError())") }
        buffer.reserveCapacity(Self.bufferBytes)
    }

    deinit {
        guard let partPath else { return }
        close(descriptor)
        unlink(partPath)
    }

    func write(_ line: UnsafeRawBufferPointer) throws {
        buffer.append(contentsOf: line)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    func finish() throws {
        try flush()
        guard let path, let partPath else { return }
        guard fsync(descriptor) == 0, rename(partPath, path) == 0 else {
            throw Failure("\(path) cannot be written: \(systemError())")
        }
    }

    private func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure("\(path ?? "standard output") cannot be written: \(systemError())") }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
