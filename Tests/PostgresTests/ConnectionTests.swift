internal import Foundation
import Glibc
import Postgres
import Synchronization
internal import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func `the session is set up as asked`() async throws {
        let url = try await testDatabaseURL()
        var connection = try Connection(ConnectionOptions(url: url, applicationName: "lane 7"))
        func setting(_ name: String) throws -> String { try connection.query(Statement("SHOW \(name)")).text(0, 0) }
        #expect(try setting("application_name") == "lane 7")
        #expect(try setting("plan_cache_mode") == "force_generic_plan")
        #expect(try setting("client_min_messages") == "warning")
        #expect(try setting("client_encoding") == "UTF8")
        #expect(try setting("timezone").uppercased() == "UTC")
        #expect(try connection.query("SELECT pg_backend_pid()").int(0, 0) == Int64(connection.processID))
        #expect(connection.descriptor > 2 && connection.isUsable && connection.serverVersion >= 150_000)
    }

    @Test func `the URL's own options win`() async throws {
        let url = try await testDatabaseURL() + "&application_name=mine&options=-c%20work_mem%3D7MB%20-c%20timezone%3DAsia/Tokyo"
        var connection = try Connection(ConnectionOptions(url: url))
        #expect(try connection.query("SHOW application_name").text(0, 0) == "mine")
        #expect(try connection.query("SHOW work_mem").text(0, 0) == "7MB")
        #expect(try connection.query("SHOW timezone").text(0, 0) == "Asia/Tokyo")
        #expect(try connection.query("SHOW plan_cache_mode").text(0, 0) == "force_generic_plan")
    }

    @Test func `a refused connection and a bad URL are told apart, and no password shows`() async throws {
        let refused = failure { _ = try Connection(ConnectionOptions(url: "postgresql://a:secret@127.0.0.1:1/x")) }
        #expect(refused?.isConnectionLoss == true)
        let malformed = failure { _ = try Connection(ConnectionOptions(url: "postgresql://a:secret@127.0.0.1:port:/x?%")) }
        #expect(malformed?.kind == .usage)
        for text in ["\(refused!)", "\(malformed!)", "\(ConnectionOptions(url: "postgresql://a:secret@b/c"))"] {
            #expect(!text.contains("secret"))
        }
    }

    @Test func `a transaction whose time is over is cancelled, and the connection goes on`() async throws {
        var connection = try await connect()
        let deadline = TransactionDeadline(seconds: 0.2)
        connection.deadline = deadline
        // Outside of a transaction nothing is counted.
        _ = try connection.query("SELECT pg_sleep(0.3)")
        let slow = failure { try connection.transaction { _ = try $0.query("SELECT pg_sleep(60)") } }
        #expect(slow?.kind == .overdue)
        // Nor does a statement begin after the time is over, whatever the body makes of the first error.
        let stubborn = failure {
            try connection.transaction { transaction in
                let first = failure { try transaction.savepoint { _ = try $0.query("SELECT pg_sleep(60)") } }
                #expect(first?.kind == .overdue)
                _ = try transaction.query("SELECT 1")
            }
        }
        #expect(stubborn?.kind == .overdue)
        #expect(failure { try connection.transaction { try $0.send("SELECT pg_sleep(60)") } }?.kind == .overdue)
        #expect(failure { try connection.transaction { try $0.run(script: "SELECT pg_sleep(60)") } }?.kind == .overdue)
        #expect(try connection.transaction { try $0.query("SELECT 7").only(Int64.self) } == 7)
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `each part of a transaction in parts has the whole time`() async throws {
        var connection = try await connect()
        connection.deadline = TransactionDeadline(seconds: 0.5)
        try connection.transaction { transaction in
            var parts = PartwiseTransaction(transaction)
            let outcome = Result {
                for _ in 1...4 {
                    _ = try parts.transaction.query("SELECT pg_sleep(0.2)")
                    try parts.nextPart()
                }
            }
            transaction = parts.end()
            try outcome.get()
        }
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `another thread may end a transaction's time at once`() async throws {
        var connection = try await connect()
        let deadline = TransactionDeadline(seconds: 3_600)
        connection.deadline = deadline
        // Without a transaction there is nothing to end.
        deadline.expire()
        let impatient = Thread {
            usleep(100_000)
            deadline.expire()
        }
        impatient.start()
        #expect(failure { try connection.transaction { _ = try $0.query("SELECT pg_sleep(60)") } }?.kind == .overdue)
    }

    @Test func `a killed backend is a connection loss`() async throws {
        var victim = try await connect()
        var killer = try await connect()
        let kill: Statement = "SELECT pg_terminate_backend($1::int4)"
        // Killed while idle.
        _ = try killer.query(kill, victim.processID)
        usleep(100_000)
        let idle = failure { _ = try victim.query("SELECT 1") }
        #expect(idle?.isConnectionLoss == true)
        #expect(victim.isUsable == false)
        #expect(failure { try victim.rollback() }?.isConnectionLoss == true)
        // Killed by its own statement, in the middle of a transaction and of a pipeline.
        victim = try await connect()
        try victim.begin()
        try victim.send("SELECT 1")
        try victim.send("SELECT pg_terminate_backend(pg_backend_pid())")
        try victim.send("SELECT 2")
        let busy = failure { try victim.commit() }
        #expect(busy?.isConnectionLoss == true && busy?.sqlState == "57P01")
        #expect(victim.isUsable == false)
        // Killed in a script.
        victim = try await connect()
        let script = failure { try victim.run(script: "SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1") }
        #expect(script?.isConnectionLoss == true && !victim.isUsable)
    }

    @Test func `notifications arrive`() async throws {
        var listener = try await connect()
        var speaker = try await connect()
        try listener.listen(Identifier("news \"today\""))
        _ = try speaker.query("SELECT pg_notify('news \"today\"', 'rain')")
        _ = try listener.query("SELECT pg_sleep(0.05)")
        let heard = try listener.notifications()
        let processID = speaker.processID
        #expect(heard == [.init(channel: "news \"today\"", payload: "rain", processID: processID)])
    }

    @Test func `identifiers are quoted whatever they hold`() async throws {
        var connection = try await connect()
        for name in [
            "simple", "with \"quotes\"\"", "x\"; DROP SCHEMA public; --", "ünï 🦊", "\u{301}\"\u{301}", "select", "a\nb\\",
        ] {
            let identifier = try Identifier(name)
            let rows = try connection.query(Statement("SELECT 1 AS \(identifier.quoted)"))
            #expect(rows.columnNames.map { Array($0.utf8) } == [Array(name.utf8)])
        }
        for name in ["", "nul\0", String(repeating: "é", count: 32)] {
            #expect(failure { _ = try Identifier(name) }?.kind == .usage)
        }
        _ = try Identifier(String(repeating: "x", count: 63))
    }
}
