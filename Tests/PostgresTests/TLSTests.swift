import Foundation
import Postgres
internal import TestSupport
import Testing

@Suite struct TLSTests {
    @Test func `TLS is used and the server's certificate verified as the URL says`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("postgres-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeCertificate("server", in: folder)
        try makeCertificate("stranger", in: folder)

        var plain = try await connect()
        #expect(plain.isEncrypted == false)
        try turnOnTLS(&plain, certificate: folder + "/server.crt", key: folder + "/server.key")

        let url = try await testDatabaseURL()
        func open(_ mode: String, authority: String? = nil) throws -> Connection {
            var url = url.replacingOccurrences(of: "sslmode=disable", with: "sslmode=\(mode)")
            if !url.contains("sslmode=") { url += (url.contains("?") ? "&" : "?") + "sslmode=\(mode)" }
            if let authority { url += "&sslrootcert=\(folder)/\(authority).crt" }
            return try Connection(ConnectionOptions(url: url))
        }

        var connection = try open("require")
        #expect(connection.isEncrypted == true)
        #expect(try connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").bool(0, 0))
        #expect(try open("verify-ca", authority: "server").isEncrypted == true)
        #expect(try open("verify-full", authority: "server").isEncrypted == true)
        let refused = failure { _ = try open("verify-ca", authority: "stranger") }
        #expect(refused?.isConnectionLoss == true && refused?.message.contains("certificate verify failed") == true)

        // Answers and requests of many sizes: none may wait unseen in OpenSSL's buffer.
        let clock = ContinuousClock.now
        for size in stride(from: 1000, to: 60_000, by: 997) {
            let row = try connection.query("SELECT repeat('x', $1::int4)", Int32(size))
            #expect(row.withBytes(0, 0) { $0?.count } == size)
        }
        let text = String(repeating: "x", count: 16_384)
        for _ in 0..<1000 { try connection.send("SELECT $1", text) }
        #expect(try connection.collect().count == 1000)
        #expect(ContinuousClock.now - clock < .seconds(20))
    }

    private func makeCertificate(_ name: String, in folder: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).crt",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// The key must belong to the server's user, who is known by the owner of its data directory.
    private func turnOnTLS(_ connection: inout Connection, certificate: String, key: String) throws {
        let data = try connection.query("SHOW data_directory").text(0, 0)
        let owner = try FileManager.default.attributesOfItem(atPath: data)[.ownerAccountID]!
        for path in [certificate, key] {
            try FileManager.default.setAttributes([.ownerAccountID: owner, .posixPermissions: 0o600], ofItemAtPath: path)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: certificate)
        for setting in ["ssl_cert_file = '\(certificate)'", "ssl_key_file = '\(key)'", "ssl = on"] {
            _ = try connection.query(Statement("ALTER SYSTEM SET \(setting)"))
        }
        _ = try connection.query("SELECT pg_reload_conf()")
        // The reload is a signal: new connections see it a little later.
        for _ in 0..<100 where try connection.query("SHOW ssl").text(0, 0) != "on" { usleep(20_000) }
        usleep(200_000)
    }
}
