import Postgres
internal import TestSupport
import Testing

@Suite struct TransactionTests {
    struct Refusal: Error {}

    static let insert: Statement = "INSERT INTO pg_temp.numbers VALUES ($1)"
    static let count: Statement = "SELECT count(*) FROM pg_temp.numbers"

    @Test func `a transaction commits, and rolls back on whatever is thrown`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint PRIMARY KEY)")
        let affected = try connection.transaction { connection in
            try connection.query(Self.insert, 1).affected
        }
        #expect(affected == 1)
        #expect(throws: Refusal.self) {
            try connection.transaction { connection in
                _ = try connection.query(Self.insert, 2)
                throw Refusal()
            }
        }
        #expect(connection.transactionStatus == .idle)
        let error = failure {
            try connection.transaction { connection throws(PostgresError) in
                _ = try connection.query(Self.insert, 3)
                _ = try connection.query(Self.insert, 1)
            }
        }
        #expect(error?.sqlState == "23505")
        #expect(try connection.query(Self.count).int(0, 0) == 1)
    }

    @Test func `commit carries what was sent, and its errors`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint PRIMARY KEY)")
        try connection.begin()
        try connection.send(Self.insert, 1)
        try connection.commit()
        try connection.begin()
        try connection.send(Self.insert, 2)
        try connection.send(Self.insert, 1)
        #expect(failure { try connection.commit() }?.statement == Self.insert.sql)
        try connection.rollback()
        #expect(try connection.query(Self.count).int(0, 0) == 1)
    }

    @Test func `a rollback drops what was sent and not collected`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint PRIMARY KEY)")
        try connection.begin()
        try connection.send(Self.insert, 1)
        try connection.send("SELECT 1 / 0")
        try connection.rollback()
        #expect(connection.transactionStatus == .idle)
        #expect(try connection.query(Self.count).int(0, 0) == 0)
        try connection.rollback()
    }

    @Test func `a script runs inside the open transaction`() async throws {
        var connection = try await connect()
        try connection.begin("ISOLATION LEVEL REPEATABLE READ")
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint); INSERT INTO numbers VALUES (1), (2);")
        #expect(connection.transactionStatus == .inTransaction)
        #expect(try connection.query(Self.count).int(0, 0) == 2)
        try connection.rollback()
        #expect(failure { _ = try connection.query(Self.count) }?.isMissingRelation == true)
        let error = failure { try connection.run(script: "SELECT 1; SELECT 1 / 0; SELECT 2") }
        #expect(error?.sqlState == "22012")
        #expect(try connection.query("SELECT 1").count == 1)
    }

    @Test func `COPY goes in and out, also inside a transaction`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE lines (number bigint PRIMARY KEY, line text)")
        try connection.begin()
        #expect(try connection.copyIn("COPY lines FROM STDIN", "1\tone\n2\t\\N\n") == 2)
        try connection.commit()
        var next = 3
        let copied = try connection.copyIn("COPY lines FROM STDIN") {
            guard next <= 50_000 else { return nil }
            defer { next += 1 }
            return Array("\(next)\tline \(next)\n".utf8)
        }
        #expect(copied == 49_998)
        var rows: [String] = []
        try connection.copyOut("COPY (SELECT * FROM lines ORDER BY number) TO STDOUT") {
            rows.append(String(decoding: $0, as: UTF8.self))
        }
        #expect(rows.count == 50_000 && rows[0] == "1\tone\n" && rows[1] == "2\t\\N\n" && rows[49_999] == "50000\tline 50000\n")
    }

    @Test func `a COPY that fails on either side leaves the connection usable`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint PRIMARY KEY)")
        #expect(failure { try connection.copyIn("COPY numbers FROM STDIN", "1\nx\n") }?.sqlState == "22P02")
        #expect(failure { try connection.copyIn("COPY nowhere FROM STDIN", "1\n") }?.isMissingRelation == true)
        #expect(failure { try connection.copyIn("SELECT 1", "1\n") }?.kind == .usage)
        #expect(throws: Refusal.self) {
            var sent = false
            try connection.copyIn("COPY numbers FROM STDIN") {
                if sent { throw Refusal() }
                sent = true
                return Array("7\n".utf8)
            }
        }
        #expect(throws: Refusal.self) {
            try connection.copyOut("COPY (SELECT generate_series(1, 100000000)) TO STDOUT") { _ in throw Refusal() }
        }
        #expect(try connection.query(Self.count).int(0, 0) == 0)
    }
}
