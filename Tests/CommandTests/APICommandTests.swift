internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

@Suite("tenantry api")
struct APICommandTests {
    private func start(_ environment: [String: String]) throws -> Program {
        try Program(
            Program.tenantry, ["api", "--port", "0", "--http-port", "0", "--until-input-ends"], input: nil,
            environment: environment)
    }

    private func curl(_ arguments: String...) throws -> Program {
        try Program("/usr/bin/env", ["curl", "--silent", "--show-error", "-w", "\n%{http_code}"] + arguments)
    }

    @Test("with a certificate it speaks TLS to a stranger's client and nothing else; a key that is not the certificate's is told")
    func certificate() async throws {
        let instance = try await Instance.shared.value
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("certificate"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func make(_ name: String) async throws -> (certificate: String, key: String) {
            let files = (folder.appending(path: "\(name).pem").path, folder.appending(path: "\(name).key").path)
            let made = try await Program(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", files.0, "-keyout", files.1,
                ]
            ).end()
            try #require(made.status == 0, "\(made)")
            return files
        }
        let (ours, other) = (try await make("ours"), try await make("other"))
        func environment(_ certificate: String, _ key: String) -> [String: String] {
            instance.environment.merging(["TENANTRY_API_CERTIFICATE_FILE": certificate, "TENANTRY_API_KEY_FILE": key]) { $1 }
        }
        let api = try start(environment(ours.certificate, ours.key))
        let port = try await Instance.apiPort(of: api)
        let credential = ["-H", "Authorization: Bearer \(instance.operatorToken)"]
        let me = try await curl(
            "--cacert", ours.certificate, "https://localhost:\(port)/v1/me", credential[0], credential[1]
        ).end()
        #expect(me.status == 0 && me.output.hasSuffix("\n200") && me.output.contains("\"role\":\"operator\""), "\(me)")
        let unknown = try await curl("--cacert", other.certificate, "https://localhost:\(port)/v1/me").end()
        #expect(unknown.status == 60 && unknown.output == "\n000", "\(unknown)")
        let plain = try await curl("http://localhost:\(port)/v1/me", credential[0], credential[1]).end()
        #expect(plain.status != 0 && plain.output == "\n000", "\(plain)")
        #expect(try await api.stop().status == 0)

        let missing = folder.appending(path: "missing").path
        for (certificate, key, complaint) in [
            (ours.certificate, other.key, "api.key_file: \(other.key) is not the key of \(ours.certificate)"),
            (ours.certificate, ours.certificate, "api.key_file: \(ours.certificate) cannot be read as PEM"),
            (missing, ours.key, "api.certificate_file: \(missing) cannot be read as PEM"),
        ] {
            let ended = try await start(environment(certificate, key)).end(within: 60)
            #expect(ended.status == 1 && ended.errors.contains("Error: \(complaint)"), "\(ended)")
        }
    }

    @Test("dead letters that are sent again or thrown away leave the list with the answer")
    func letters() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("letters")
        let token = try await instance.makeAccount(account)
        let origin = try #require(instance.environment["TENANTRY_API_URL"])
        func ask(_ path: String, _ body: String? = nil) async throws -> [String: Any] {
            let credential = "Authorization: Bearer \(instance.operatorToken)"
            let more = body.map { ["-H", "Content-Type: application/json", "-d", $0] } ?? []
            let ended = try await Program(
                "/usr/bin/env", ["curl", "--silent", "--fail-with-body", "\(origin)/v1/\(path)", "-H", credential] + more
            ).end()
            return try #require(try? ended.json() as? [String: Any], "\(ended)")
        }
        func letters(_ id: String) async throws -> [[String: Any]] {
            try #require(try await ask("dead?job_id=\(id)")["data"] as? [[String: Any]])
        }
        for deed in ["discard", "replay"] {
            let id = "\(account)-\(deed)"
            _ = try await instance.ask("tenant.create", #"{"slug":"x"}"#, token: token, id: id)
            let first = try #require(try await letters(id).first?["id"] as? String)
            // Its row is written before it is published: it may not be in the queue yet.
            try await eventually("the letter is taken") {
                try await ask("dead/\(deed)", #"{"filter":{"job_id":"\#(id)"}}"#)["done"] as? Int == 1
            }
            let left = try await letters(id).compactMap { $0["id"] as? String }
            #expect(!left.contains(first), "\(left)")
        }
    }

    @Test("told to stop while a write waits for its answer, it takes no more connections, answers the write, and ends with 0")
    func drain() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("acme")
        await fleet.stop()
        let api = try start([
            "TENANTRY_AMQP_URL": fleet.brokerURL, "TENANTRY_API_DATABASE_URL": fleet.testDatabase.apiURL,
        ])
        let origin = "http://127.0.0.1:\(try await Instance.apiPort(of: api))"
        let write = try curl(
            "\(origin)/v1/tenants", "-H", "Authorization: Bearer \(token)", "-H", "Content-Type: application/json", "-H",
            "Prefer: wait=30", "-d", #"{"slug":"shop","display_name":"Shop"}"#)
        try await eventually("the write waits") {
            try fleet.number("select count(*) from tenantry.http_jobs where status = 'pending'") == 1
        }
        kill(api.pid, SIGTERM)
        try await eventually("it takes no more connections") { try await curl("\(origin)/v1/openapi.json").end().status == 7 }
        #expect(api.isRunning && write.isRunning)
        try fleet.startWorker()
        let answered = try await write.end(within: 60)
        #expect(answered.status == 0 && answered.output.hasSuffix("\n201"), "\(answered)")
        let ended = try await api.end(within: 60)
        #expect(ended.status == 0 && ended.errors.contains("api ended"), "\(ended)")
        await fleet.stop()
    }
}
