internal import Embedded
internal import Foundation
internal import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct `Servers with lasting data` {
    @Test func `detached ones survive their starter, are found, stopped, and started anew over the same data`() async throws {
        let directory = temporaryDirectory()
        try run(try ownerProgram(), "detached", directory)
        let found = try #require(EmbeddedServers.attach(directory: directory))
        #expect(try await found.database.query("SHOW fsync") == "on\n")
        _ = try await found.database.query("CREATE TABLE kept AS SELECT 42 AS answer")
        _ = try await found.broker.run(ctl: ["add_vhost", "kept"])
        let password = found.databaseURL
        await #expect(throws: EmbeddedError.self) { try await EmbeddedServers.start(in: directory) }
        try await found.stop()
        #expect(EmbeddedServers.attach(directory: directory) == nil)
        #expect(try await eventually(seconds: 5) { processes(of: directory).isEmpty })

        let again = try await EmbeddedServers.start(in: directory)
        #expect(try await again.database.query("SELECT answer FROM kept") == "42\n")
        #expect(try await again.broker.run(ctl: ["list_vhosts"]).contains("kept"))
        #expect(URL(string: again.databaseURL)?.password() == URL(string: password)?.password())
        try await again.stop()
        #expect(isThere(directory))
        try await EmbeddedServers.remove(directory: directory)
        #expect(!isThere(directory))
    }

    @Test func `what a crash left is recognised, and the data is found again`() async throws {
        let directory = temporaryDirectory()
        try run(try ownerProgram(), "detached", directory)
        let crashed = try #require(EmbeddedServers.attach(directory: directory))
        _ = try await crashed.database.query("CREATE TABLE kept AS SELECT 42 AS answer")
        for pid in processes(of: directory) { kill(pid, SIGKILL) }
        #expect(try await eventually { EmbeddedServers.attach(directory: directory) == nil })
        // The numbers of the dead, as another program may carry them after a reboot.
        let lock = directory + "/postgresql/data/postmaster.pid"
        let text = try String(contentsOfFile: lock, encoding: .utf8)
        try text.replacing(/^\d+/, with: "\(getpid())").write(toFile: lock, atomically: false, encoding: .utf8)

        let again = try await EmbeddedServers.start(in: directory)
        #expect(try await again.database.query("SELECT answer FROM kept") == "42\n")
        try await again.stop()
        try await EmbeddedServers.remove(directory: directory)
    }

    @Test(.enabled(if: getuid() == 0)) func `data in a folder closed to PostgreSQL's user lies elsewhere behind a link`()
        async throws
    {
        let closed = temporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: closed) }
        let cluster = DatabaseCluster(.init(directory: closed + "/postgresql"))
        try await cluster.start()
        _ = try await cluster.query("CREATE TABLE kept AS SELECT 42 AS answer")
        try await cluster.stop()
        try await cluster.start()
        #expect(try await cluster.query("SELECT answer FROM kept") == "42\n")
        try await cluster.stop()
        let data = try FileManager.default.destinationOfSymbolicLink(atPath: closed + "/postgresql/data")
        #expect(data.hasPrefix("/var/lib/tenantry/"))
        try await EmbeddedServers.remove(directory: closed)
        #expect(!isThere(data))
    }
}
