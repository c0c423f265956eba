import Postgres
internal import TestSupport
import Testing

@Suite struct PipelineTests {
    @Test func `3,000 statements with 50 MB each way do not deadlock`() async throws {
        var connection = try await connect()
        let text = String(repeating: "0123456789abcdef", count: 1024)
        let echo: Statement = "SELECT $1, $2"
        var parameters = Parameters()
        for number in 0..<3000 {
            parameters.removeAll()
            parameters.append(number)
            parameters.append(text)
            try connection.send(echo, parameters)
        }
        let results = try connection.collect()
        #expect(results.count == 3000)
        #expect(results.enumerated().allSatisfy { $1.int(0, 0) == $0 && $1.withBytes(0, 1) { $0?.count } == text.utf8.count })
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `an error in the middle names its statement and leaves the connection usable`() async throws {
        var connection = try await connect()
        try connection.run(script: "CREATE TEMP TABLE numbers (number bigint PRIMARY KEY)")
        let insert: Statement = "INSERT INTO numbers VALUES ($1)"
        let divide: Statement = "SELECT 1 / $1"
        let never: Statement = "SELECT $1 + 1"
        try connection.begin()
        try connection.send(insert, 1)
        try connection.send(divide, 0)
        try connection.send(never, 0)
        let error = failure { _ = try connection.collect() }
        #expect(error?.sqlState == "22012" && error?.statement == divide.sql)
        #expect(connection.transactionStatus == .failed)
        #expect(failure { try connection.commit() }?.sqlState == "25P02")
        try connection.rollback()
        #expect(connection.transactionStatus == .idle)
        // The third statement's preparation was skipped; it must not be believed prepared.
        #expect(try connection.query(never, 1).int(0, 0) == 2)
        #expect(try connection.query("SELECT count(*) FROM numbers").int(0, 0) == 0)
    }

    @Test func `the first of several errors wins`() async throws {
        var connection = try await connect()
        try connection.send("SELECT 1 / 0")
        try connection.send("SELECT nonsense")
        #expect(failure { _ = try connection.collect() }?.sqlState == "22012")
        #expect(try connection.collect().isEmpty)
    }

    @Test func `sending goes on after an error has arrived, and is skipped`() async throws {
        var connection = try await connect()
        let echo: Statement = "SELECT $1"
        let text = String(repeating: "x", count: 16_384)
        try connection.send("SELECT 1 / 0")
        for number in 0..<2000 {
            try connection.send(number % 100 == 0 ? Statement("SELECT $1, \(number)") : echo, text)
        }
        #expect(failure { _ = try connection.collect() }?.sqlState == "22012")
        // "SELECT 1 / 0" itself was prepared; it failed when it ran.
        #expect(connection.cacheCount == 1)
        #expect(try connection.query(echo, text).text(0, 0) == text)
    }

    @Test func `COPY in the pipeline is an error that ends the connection, not a hang`() async throws {
        for sql in ["COPY pg_class TO STDOUT", "COPY numbers FROM STDIN"] {
            var connection = try await connect()
            try connection.run(script: "CREATE TEMP TABLE numbers (number bigint)")
            #expect(failure { _ = try connection.query(Statement(sql)) }?.kind == .usage)
            #expect(connection.isUsable == false)
        }
    }

    @Test func `data faults carry SQLSTATE and the place`() async throws {
        var connection = try await connect()
        try connection.run(
            script:
                "CREATE SCHEMA faults; CREATE TABLE faults.items (id bigint CONSTRAINT one_id PRIMARY KEY, name text NOT NULL)")
        let insert: Statement = "INSERT INTO faults.items VALUES ($1, $2)"
        func fault(_ id: Int, _ name: String?) -> PostgresError? {
            failure { _ = try connection.query(insert, id, name) }
        }
        #expect(fault(1, "one") == nil)
        let duplicate = fault(1, "again")
        #expect(duplicate?.sqlState == "23505")
        #expect(duplicate?.schema == "faults" && duplicate?.table == "items" && duplicate?.constraint == "one_id")
        #expect(duplicate?.detail?.contains("(id)=(1)") == true && duplicate?.description.contains("(id)=(1)") == false)
        let null = fault(2, nil)
        #expect(null?.sqlState == "23502" && null?.column == "name")
        #expect(fault(3, "nul \0 inside")?.sqlState == "22021")
        let missing = failure { _ = try connection.query("SELECT * FROM faults.nowhere") }
        #expect(missing?.isMissingRelation == true && missing?.kind == .server && missing?.isConnectionLoss == false)
    }

    @Test func `misuse is refused before anything is sent`() async throws {
        var connection = try await connect()
        try connection.send("SELECT 1")
        #expect(failure { _ = try connection.query("SELECT 2") }?.kind == .usage)
        #expect(failure { try connection.run(script: "SELECT 2") }?.kind == .usage)
        #expect(try connection.collect().count == 1)
        #expect(failure { _ = try connection.query("SELECT 1 \0 + 1") }?.kind == .usage)
        #expect(try connection.query("SELECT 3::int8").int(0, 0) == 3)
    }

    @Test func `the server works while the pipeline is still being filled`() async throws {
        var connection = try await connect()
        for _ in 0..<50 { try connection.send("SELECT repeat('x', 1000000)") }
        #expect(try connection.collect().allSatisfy { $0.withBytes(0, 0) { $0?.count } == 1_000_000 })
    }
}

@Suite struct StatementCacheTests {
    @Test func `the cache is bounded, and what it evicts is deallocated`() async throws {
        var connection = try await connect(statementCacheCapacity: 4)
        for round in 0..<3 {
            for number in 0..<10 {
                #expect(try connection.query(Statement("SELECT \(number)::int8")).int(0, 0) == Int64(number), "round \(round)")
            }
        }
        for number in 0..<20 { try connection.send(Statement("SELECT \(number)::int8 + 1")) }
        #expect(try connection.collect().map { $0.int(0, 0) } == (1...20).map(Int64.init))
        #expect(connection.cacheCount == 4)
        // The counting statement is prepared, too, and takes the place of another.
        #expect(try connection.query("SELECT count(*) FROM pg_prepared_statements").int(0, 0) == 4)
    }

    @Test func `evictions in a failed pipeline leave neither ghosts nor leaks`() async throws {
        var connection = try await connect(statementCacheCapacity: 3)
        for number in 0..<3 { _ = try connection.query(Statement("SELECT \(number)")) }
        try connection.send("SELECT 1 / 0")
        for number in 10..<20 { try connection.send(Statement("SELECT \(number)")) }
        #expect(failure { _ = try connection.collect() }?.sqlState == "22012")
        for number in 0..<20 { _ = try connection.query(Statement("SELECT \(number)")) }
        #expect(try connection.query("SELECT count(*) FROM pg_prepared_statements").int(0, 0) == 3)
    }

    @Test func `the least recently used statement goes first`() async throws {
        var connection = try await connect(statementCacheCapacity: 2)
        let (first, second): (Statement, Statement) = ("SELECT 1", "SELECT 2")
        _ = try connection.query(first)
        _ = try connection.query(second)
        _ = try connection.query(first)
        let prepared = try connection.query("SELECT array_agg(statement ORDER BY statement) FROM pg_prepared_statements")
        #expect(prepared.texts(0, 0).contains("SELECT 1") && !prepared.texts(0, 0).contains("SELECT 2"))
    }

    @Test func `a statement is prepared anew for other parameter types`() async throws {
        var connection = try await connect()
        let kind: Statement = "SELECT pg_typeof($1)::text"
        #expect(try connection.query(kind, 1).text(0, 0) == "bigint")
        #expect(try connection.query(kind, "1").text(0, 0) == "text")
        #expect(try connection.query(kind, 1).text(0, 0) == "bigint")
        #expect(connection.cacheCount == 1)
    }

    @Test func `a plan that became invalid, or a statement that went, works at the next try`() async throws {
        var connection = try await connect()
        let all: Statement = "SELECT * FROM pg_temp.changing"
        try connection.run(script: "CREATE TEMP TABLE changing (a int)")
        #expect(try connection.query(all).columnCount == 1)
        try connection.run(script: "ALTER TABLE changing ADD COLUMN b int")
        #expect(failure { _ = try connection.query(all) }?.sqlState == "0A000")
        #expect(try connection.query(all).columnCount == 2)
        try connection.run(script: "DEALLOCATE ALL")
        #expect(failure { _ = try connection.query(all) }?.sqlState == "26000")
        #expect(try connection.query(all).columnCount == 2)
    }
}
