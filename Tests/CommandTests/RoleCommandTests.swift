internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry migrate --roles, and who connects as whom")
struct RoleCommandTests {
    private func call(_ line: String, _ environment: [String: String]) async throws -> Ended {
        try await Program(
            Program.tenantry, line.split(separator: " ").map { String($0) }, environment: environment, in: Program.repository.path
        ).end(within: 60)
    }

    @Test("The URLs are printed once, and lead to roles that have a worker's and a reader's rights")
    func printed() async throws {
        let owner = try await TestServers.shared.databaseURL()
        let first = try await call("migrate --roles", ["TENANTRY_DATABASE_URL": owner])
        #expect(first.status == 0, "\(first.errors)")
        let urls = first.output.matches(of: /(?m)^(TENANTRY_(?:WORKER|READER|API)_DATABASE_URL)=(.*)$/).map {
            (String($0.1), String($0.2))
        }
        #expect(
            urls.map(\.0) == ["TENANTRY_WORKER_DATABASE_URL", "TENANTRY_READER_DATABASE_URL", "TENANTRY_API_DATABASE_URL"])
        let database = try #require(owner.split(separator: "/").last)
        let again = try await call("migrate --roles", ["TENANTRY_DATABASE_URL": owner])
        #expect(
            again.output.contains(
                "worker: role \(database)_worker has its grants\nreader: role \(database)_reader has its grants\n"
                    + "api: role \(database)_api has its grants\n"))
        #expect(!again.output.contains("postgresql://"))

        // The two URLs are all that a worker's or a reader's machine needs.
        let environment = Dictionary(uniqueKeysWithValues: urls)
        let list = try await call("plans list --format json", environment)
        #expect(list.status == 0, "\(list.errors)")
        let issue = try await call("operator issue", environment)
        #expect(issue.errors.contains("TENANTRY_DATABASE_URL"), "what changes something is the owner's")
        for url in [urls[0].1, urls[1].1] {
            let refused = try await call("plans apply --database-url \(url)", [:])
            #expect(refused.status == 1)
            #expect(refused.errors.contains("the database's role may not do this"), "\(refused.errors)")
        }
        let migrate = try await call("migrate --database-url \(urls[0].1)", [:])
        #expect(migrate.status == 1)
        #expect(migrate.errors.contains("the database's role may not do this"), "\(migrate.errors)")
        let given = try await call(
            "plans list --database-url \(owner)", ["TENANTRY_READER_DATABASE_URL": "postgresql://127.0.0.1:1/d"])
        #expect(given.status == 0, "the command line counts before the environment")
    }

    @Test("Names and passwords are those of the variables, if they are set")
    func named() async throws {
        let owner = try await TestServers.shared.databaseURL()
        let database = try #require(owner.split(separator: "/").last)
        let address = try #require(owner.split(separator: "@").last)
        let environment = [
            "TENANTRY_DATABASE_URL": owner,
            "TENANTRY_WORKER_DATABASE_URL": "postgresql://\(database)_w:one%20two@\(address)",
            "TENANTRY_READER_DATABASE_URL": "postgresql://\(database)_r:three@\(address)",
        ]
        let made = try await call("migrate --roles", environment)
        #expect(
            made.output.contains("worker: role \(database)_w has its grants\nreader: role \(database)_r has its grants\n"),
            "\(made)")
        #expect(try await call("plans list", environment).status == 0)
        let other = try await call("migrate --roles --worker-role other", environment)
        #expect(
            other.errors
                == "Error: --worker-role is other, and TENANTRY_WORKER_DATABASE_URL names \(database)_w: leave one of them out\n")
        let missing = try await call("migrate --reader-role \(database)_none", environment)
        #expect(missing.errors.contains("the reader's role of this database is \(database)_r"), "\(missing.errors)")
    }

    @Test("A worker in the database that it has no grants in, or with the owner's URL where there are no roles")
    func worker() async throws {
        let virtualHost = try await TestServers.shared.virtualHost()
        defer { withExtendedLifetime(virtualHost) {} }
        let owner = try await TestServers.shared.databaseURL()
        #expect(try await call("migrate", ["TENANTRY_DATABASE_URL": owner]).status == 0)
        let stranger = try await TestServers.shared.databaseURL()
        let roles = try await call("migrate --roles", ["TENANTRY_DATABASE_URL": stranger])
        let url = try #require(roles.output.firstMatch(of: /WORKER_DATABASE_URL=(.*\/)/)).1
        let database = try #require(owner.split(separator: "/").last)
        let refused = try await call(
            "worker --http-port 0",
            [
                "TENANTRY_AMQP_URL": virtualHost.url,
                "TENANTRY_WORKER_DATABASE_URL": String(url + database),
            ])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("the database's role may not do this"), "\(refused.errors)")

        // As before there were roles.
        let worker = try Instance.startWorker(["TENANTRY_AMQP_URL": virtualHost.url, "TENANTRY_DATABASE_URL": owner])
        _ = try await Instance.port(of: worker)
        _ = try await worker.stop(SIGTERM)
    }
}
