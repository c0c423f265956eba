internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry dev", .serialized)
struct DevTests {
    /// A folder that ends with all that runs in it.
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/\(newSlug("tenantry-dev"))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(folder))
        } catch {
            result = .failure(error)
        }
        _ = try await Program.tenantry("dev", "reset", in: folder)
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    /// A line of shell with the variables that `.tenantry/env` gives.
    private func shell(_ line: String, in folder: String) async throws -> Ended {
        try await Program("/bin/sh", ["-e", "-c", ". .tenantry/env; " + line], in: folder).end(within: 60)
    }

    /// Every process that names the folder, and the workers among them.
    private func processes(of folder: String) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { pid in
            ["cmdline", "environ", "cwd"].contains { name in
                if name == "cwd" {
                    return (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"))?.hasPrefix(folder)
                        == true
                }
                let data = FileManager.default.contents(atPath: "/proc/\(pid)/\(name)") ?? Data()
                return String(decoding: data, as: UTF8.self).contains(folder)
            }
        }
    }

    private func worker(of folder: String) -> Int32? {
        processes(of: folder).first { pid in
            let words = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data(), as: UTF8.self)
                .split(separator: "\0")
            return words.dropFirst().first == "worker"
        }
    }

    private func isReady(_ folder: String) async throws -> Bool {
        try await shell("curl -sf http://127.0.0.1:$TENANTRY_HTTP_PORT/ready", in: folder).status == 0
    }

    @Test(
        "detached: its variables reach the servers, it starts once, a killed worker is started again, data outlives a stop, reset removes it"
    )
    func detached() async throws {
        try await inFolder { folder in
            let started = try await Program.tenantry("dev", "--detach", in: folder)
            try #require(started.status == 0, "\(started.errors)")
            #expect(started.output.hasPrefix("ready. Variables: \(folder)/.tenantry/env"))
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/.tenantry/env")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(
                try await shell("psql -XAtc 'select count(*) from tenantry.plans' $TENANTRY_DATABASE_URL", in: folder).output
                    == "3\n")
            // The worker and whoever reads come as what they are, and the owner's URL is the owner's.
            let users =
                "select string_agg(distinct usename, ' ') from pg_stat_activity where application_name = 'tenantry worker'"
            #expect(
                try await shell("psql -XAtc \"\(users)\" $TENANTRY_DATABASE_URL", in: folder).output == "tenantry_worker\n")
            #expect(
                try await shell("psql -XAtc 'select current_user' $TENANTRY_READER_DATABASE_URL", in: folder).output
                    == "tenantry_reader\n")
            let status = try await shell("tenantry status --format json", in: folder)
            #expect(status.output.contains(#""queue": "tenantry.conversation""#))
            let made = try await shell(
                #"echo '{"slug":"kept","display_name":"Kept","plan":"pro"}' | tenantry enqueue account.create --wait"#, in: folder
            )
            #expect(made.status == 0)

            for arguments in [["dev"], ["dev", "--detach"]] {
                let again = try await Program(Program.tenantry, arguments, in: folder).end(within: 30)
                #expect(again.status == 1)
                #expect(again.errors.hasPrefix("Error: already running as process "))
            }

            let first = try #require(worker(of: folder))
            kill(first, SIGKILL)
            var second = worker(of: folder)
            for _ in 0..<600 where second == nil || second == first {
                try await Task.sleep(for: .milliseconds(50))
                second = worker(of: folder)
            }
            for _ in 0..<600 where try await !isReady(folder) { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try await isReady(folder))
            let log = try String(contentsOfFile: "\(folder)/.tenantry/dev.log", encoding: .utf8)
            #expect(log.contains("the worker ended (signal 9); starting it again"))

            let stopped = try await Program.tenantry("dev", "stop", in: folder)
            #expect(stopped.output == "stopped\n")
            #expect(processes(of: folder) == [])
            #expect(try await Program.tenantry("dev", "stop", in: folder).output == "not running\n")

            let token = try await shell("echo $TENANTRY_OPERATOR_TOKEN", in: folder).output
            let passwords = "echo $TENANTRY_WORKER_DATABASE_URL $TENANTRY_READER_DATABASE_URL | sed 's/@[^ ]*//g'"
            let kept = try await shell(passwords, in: folder).output
            #expect(kept.contains("tenantry_worker:"))
            #expect(try await Program.tenantry("dev", "--detach", in: folder).status == 0)
            #expect(try await shell("echo $TENANTRY_OPERATOR_TOKEN", in: folder).output == token, "the credential is kept")
            #expect(try await shell(passwords, in: folder).output == kept, "so are the roles' passwords")
            #expect(
                try await shell("psql -XAtc 'select slug from tenantry.accounts' $TENANTRY_DATABASE_URL", in: folder).output
                    == "kept\n")

            #expect(try await Program.tenantry("dev", "reset", in: folder).status == 0)
            #expect(processes(of: folder) == [])
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/.tenantry"))
            #expect(try await Program.tenantry("dev", "reset", in: folder).status == 0, "nothing to reset is no failure")
        }
    }

    @Test("in the foreground: Ctrl-C drains the worker and ends with 0; SIGKILL leaves no server and no worker behind")
    func foreground() async throws {
        try await inFolder { folder in
            for signal in [SIGINT, SIGKILL] {
                let session = try Program(Program.tenantry, ["dev"], in: folder)
                while !session.output.contains("ready. ") {
                    try #require(session.isRunning, "\(session.errors)")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(session.output.hasPrefix("starting RabbitMQ and PostgreSQL …\n"))
                let ended = try await session.stop(signal)
                if signal == SIGINT {
                    #expect(ended.status == 0)
                    #expect(ended.output.contains("draining the worker …\nstopped; the data stays in \(folder)/.tenantry"))
                    #expect(ended.errors.contains("worker drained"))
                }
                for _ in 0..<900 where !processes(of: folder).isEmpty { try await Task.sleep(for: .milliseconds(50)) }
                #expect(processes(of: folder) == [])
            }
        }
    }

    @Test("a mistake in a file is told before servers are started; without a file it is the plans of config/plans.yaml")
    func files() async throws {
        try await inFolder { folder in
            try "plans: 3\n".write(toFile: "\(folder)/p.yaml", atomically: true, encoding: .utf8)
            for arguments in [["dev"], ["dev", "--detach"]] {
                let ended = try await Program(
                    Program.tenantry, arguments, environment: ["TENANTRY_PLANS_FILE": "p.yaml"], in: folder
                ).end(within: 60)
                #expect(ended.status == 1)
                #expect(ended.errors.contains("Error: p.yaml: plans: must be a mapping"), "\(ended.errors)")
                #expect(!FileManager.default.fileExists(atPath: "\(folder)/.tenantry/servers"))
            }
            let missing = try await Program.tenantry("dev", "--config", "none.yaml", in: folder)
            #expect(missing.errors == "Error: none.yaml cannot be read: No such file or directory\n")
            #expect(try await Program.tenantry("dev", "--detach", in: folder).status == 0)
            let plans = """
                select (select json_agg(json_build_array(name, display_name, thresholds) order by name) from tenantry.plans),
                       (select json_agg(l order by plan, metric) from tenantry.plan_limits l)
                """
            let standard = try await shell("psql -XAtc \"\(plans)\" $TENANTRY_DATABASE_URL", in: folder).output
            #expect(standard.contains("Enterprise Plus"))
            #expect(
                try await shell("tenantry plans apply --file \(Program.repository.path)/config/plans.yaml", in: folder).status
                    == 0)
            #expect(try await shell("psql -XAtc \"\(plans)\" $TENANTRY_DATABASE_URL", in: folder).output == standard)
        }
    }
}
