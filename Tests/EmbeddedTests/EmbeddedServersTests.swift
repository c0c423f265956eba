internal import Embedded
internal import Foundation
internal import Testing

/// The pair that most of these tests look at.
private let pair = Task { try await EmbeddedServers.temporary() }

@Suite(.serialized, .timeLimit(.minutes(5)))
struct `Embedded servers` {
    @Test func `both start, answer, and hand out databases and virtual hosts`() async throws {
        let servers = try await pair.value
        #expect(try await servers.database.query("SELECT 1") == "1\n")
        #expect(try await servers.database.query("SHOW fsync") == "off\n")
        let first = try await servers.database.createDatabase("first")
        let second = try await servers.database.createDatabase("second")
        #expect(first != second)
        let name = try #require(URL(string: first)?.lastPathComponent)
        #expect(try run("/usr/bin/psql", first, "-XAtc", "SELECT current_database(), 'here'") == "\(name)|here\n")
        let host = try await servers.broker.makeVirtualHost("first")
        #expect(try await servers.broker.makeVirtualHost("second") != host)
        await #expect(throws: EmbeddedError.self, "there is one already") { try await servers.broker.makeVirtualHost("first") }

        let made = try await servers.broker.run(ctl: ["list_vhosts"]).split(separator: "\n")
        #expect(made.filter { $0 != "name" }.sorted() == ["first", "second", "tenantry"], "under the heading")
        for _ in 0..<2 { try await servers.broker.removeVirtualHost("second") }
        #expect(try await !servers.broker.run(ctl: ["list_vhosts"]).contains("second"))
        #expect(try await servers.broker.run(ctl: ["list_permissions", "-p", "first"]).contains("tenantry\t.*\t.*\t.*"))
        let password = try #require(URL(string: servers.brokerURL)?.password())
        #expect(try await servers.broker.run(ctl: ["authenticate_user", "tenantry", password]).contains("Success"))
        let plugins = try await servers.broker.run(ctl: ["eval", "rabbit_plugins:active()."])
        #expect(plugins.contains("rabbitmq_consistent_hash_exchange"))
    }

    @Test func `a wrong password is refused by both`() async throws {
        let servers = try await pair.value
        let wrong = servers.databaseURL.replacing(/:[^:@\/]+@/, with: ":wrong@")
        #expect(try run("/usr/bin/psql", wrong, "-XAtc", "SELECT 1").isEmpty)
        await #expect(throws: EmbeddedError.self) {
            try await servers.broker.run(ctl: ["authenticate_user", "tenantry", "wrong"])
        }
    }

    @Test func `nothing listens beyond the loopback interface`() async throws {
        let servers = try await pair.value
        let lines = try run("/usr/bin/ss", "-ltnpH").split(separator: "\n")
        for pid in [servers.database.pid, servers.broker.pid, servers.broker.mapperPID] {
            let own = lines.filter { $0.contains("pid=\(pid!),") }
            #expect(!own.isEmpty)
            for line in own {
                let address = String(line.split(separator: " ")[3])
                // epmd adds the loopback address of IPv6 by itself.
                #expect(address.hasPrefix("127.0.0.1:") || address.hasPrefix("[::1]:"), "\(line)")
            }
        }
    }

    @Test func `a second pair runs beside the first, and its stop leaves no process, no zombie and no folder`() async throws {
        let first = try await pair.value
        let second = try await EmbeddedServers.temporary()
        #expect(try await second.database.query("SELECT 2") == "2\n")
        #expect(second.databaseURL != first.databaseURL && second.brokerURL != first.brokerURL)
        #expect(processes(of: second.directory).count >= 3)
        try await second.stop()
        #expect(try await eventually(seconds: 5) { processes(of: second.directory).isEmpty })
        #expect(!isThere(second.directory))
        #expect(try await eventually(seconds: 5) { try zombies().isEmpty })
        #expect(first.database.isRunning && first.broker.isRunning)
    }

    @Test func `a broker restarts on its port, in order and after a crash`() async throws {
        let servers = try await pair.value
        let (url, pid) = (servers.brokerURL, servers.broker.pid)
        for crash in [false, true] {
            try await servers.broker.restart(crash: crash)
            #expect(servers.brokerURL == url && servers.broker.pid != pid && servers.broker.isRunning)
        }
    }

    @Test func `an owner killed by SIGKILL leaves no process and no folder`() async throws {
        let owner = Process()
        let output = Pipe()
        (owner.executableURL, owner.standardOutput) = (URL(filePath: try ownerProgram()), output)
        try owner.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let directory = try #require(line.split(separator: "\n").first.map(String.init))
        #expect(isThere(directory) && processes(of: directory).count >= 3)
        kill(owner.processIdentifier, SIGKILL)
        #expect(try await eventually { processes(of: directory).isEmpty && !isThere(directory) })
    }

    @Test func `a missing binary names its Debian package`() async throws {
        var programs = ServerPrograms()
        programs.postgresRoot = "/nowhere"
        let noDatabase = await #expect(throws: EmbeddedError.self) { try await EmbeddedServers.temporary(programs: programs) }
        #expect(noDatabase?.missingPackage == "postgresql")
        #expect(noDatabase?.description.contains("apt-get install postgresql") == true)
        programs = ServerPrograms()
        programs.rabbitFolder = "/nowhere"
        let noBroker = await #expect(throws: EmbeddedError.self) { try await EmbeddedServers.temporary(programs: programs) }
        #expect(noBroker?.missingPackage == "rabbitmq-server")
    }
}
