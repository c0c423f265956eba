import Postgres
internal import TestSupport
import Testing

/// What a transaction's holder may do inside: savepoints, and parts.
@Suite struct SavepointTests {
    struct Refusal: Error {}

    static let insert: Statement = "INSERT INTO pg_temp.numbers VALUES ($1)"
    static let all: Statement = "SELECT number FROM pg_temp.numbers ORDER BY number"

    private func numbers(on connection: inout Connection) throws(PostgresError) -> [Int64] {
        try connection.query(Self.all).decode { (number: Int64) in number }
    }

    private func connectWithTable() async throws -> Connection {
        var connection = try await connect()
        try connection.run(
            script: "CREATE TEMP TABLE numbers (number bigint CONSTRAINT one_each UNIQUE DEFERRABLE INITIALLY IMMEDIATE)")
        return connection
    }

    private func add(_ number: Int64, _ transaction: inout Transaction) throws {
        _ = try transaction.query(Self.insert, number)
    }

    @Test func `what a savepoint's body did is kept when it returns`() async throws {
        var connection = try await connectWithTable()
        let result = try connection.transaction { transaction in
            try add(1, &transaction)
            return try transaction.savepoint { transaction in
                try add(2, &transaction)
                return "done"
            }
        }
        #expect(result == "done")
        let left = try numbers(on: &connection)
        #expect(left == [1, 2])
    }

    @Test func `what a savepoint's body did is taken back when it throws, and the transaction goes on`() async throws {
        var connection = try await connectWithTable()
        try connection.transaction { transaction in
            try add(1, &transaction)
            let wasRefused = isRefused {
                try transaction.savepoint { transaction in
                    try add(2, &transaction)
                    throw Refusal()
                }
            }
            #expect(wasRefused)
            // The server's own error: without the savepoint, nothing more could be done.
            let error = failure {
                try transaction.savepoint { transaction in
                    try add(3, &transaction)
                    try add(1, &transaction)
                }
            }
            #expect(error?.sqlState == "23505")
            try add(4, &transaction)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 4])
    }

    @Test func `a savepoint whose body hides the server's error is taken back, and says so`() async throws {
        var connection = try await connectWithTable()
        try connection.transaction { transaction in
            try add(1, &transaction)
            let error = failure {
                try transaction.savepoint { transaction in
                    try add(2, &transaction)
                    _ = failure { try add(1, &transaction) }
                }
            }
            #expect(error?.sqlState == "25P02")
            try add(3, &transaction)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 3])
    }

    @Test func `a trial gives its result and is taken back`() async throws {
        var connection = try await connectWithTable()
        try connection.transaction { transaction in
            try add(1, &transaction)
            let seen = try transaction.savepoint(isTrial: true) { transaction in
                try add(2, &transaction)
                return try transaction.query(Self.all).decode(Int64.self)
            }
            #expect(seen == [1, 2])
            let wasRefused = isRefused { try transaction.savepoint(isTrial: true) { _ in throw Refusal() } }
            #expect(wasRefused)
            try add(3, &transaction)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 3])
    }

    @Test func `nested savepoints have one name, and each takes back its own`() async throws {
        var connection = try await connectWithTable()
        try connection.transaction { transaction in
            try transaction.savepoint { transaction in
                try add(1, &transaction)
                // An inner one that is taken back leaves what the outer one did before.
                let wasRefused = isRefused {
                    try transaction.savepoint { transaction in
                        try add(2, &transaction)
                        try transaction.savepoint { transaction in try add(3, &transaction) }
                        throw Refusal()
                    }
                }
                #expect(wasRefused)
                try add(4, &transaction)
            }
            // An outer one takes back the inner ones, too, that were kept.
            let wasRefused = isRefused {
                try transaction.savepoint { transaction in
                    try add(5, &transaction)
                    try transaction.savepoint { transaction in try add(6, &transaction) }
                    try transaction.savepoint(isTrial: true) { transaction in try add(7, &transaction) }
                    try add(8, &transaction)
                    throw Refusal()
                }
            }
            #expect(wasRefused)
            try transaction.savepoint { transaction in try add(9, &transaction) }
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 4, 9])
    }

    @Test func `what a savepoint's body sent and did not collect is part of it`() async throws {
        var connection = try await connectWithTable()
        try connection.transaction { transaction in
            try transaction.savepoint { transaction in try transaction.send(Self.insert, 1) }
            let late = failure {
                try transaction.savepoint { transaction in
                    try transaction.send(Self.insert, 2)
                    try transaction.send(Self.insert, 1)
                }
            }
            #expect(late?.sqlState == "23505" && late?.statement == Self.insert.sql)
            let wasRefused = isRefused {
                try transaction.savepoint { transaction in
                    try transaction.send(Self.insert, 3)
                    throw Refusal()
                }
            }
            #expect(wasRefused)
            try transaction.send(Self.insert, 4)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 4])
    }

    @Test func `a connection that is lost inside a transaction is reported as unusable`() async throws {
        var connection = try await connectWithTable()
        let outcome = failure {
            try connection.transaction { transaction in
                let inner = failure {
                    try transaction.savepoint { transaction in
                        try add(1, &transaction)
                        _ = try transaction.query("SELECT pg_terminate_backend(pg_backend_pid())")
                    }
                }
                #expect(inner?.isConnectionLoss == true)
                let isUsable = transaction.isUsable
                #expect(!isUsable)
                let after = failure { try add(2, &transaction) }
                #expect(after?.isConnectionLoss == true)
            }
        }
        #expect(outcome?.isConnectionLoss == true)
        let isUsable = connection.isUsable
        #expect(!isUsable)
        let after = failure { _ = try connection.query(Self.all) }
        #expect(after?.isConnectionLoss == true)
    }
}

@Suite struct PartwiseTransactionTests {
    struct Refusal: Error {}

    static let insert: Statement = "INSERT INTO pg_temp.numbers VALUES ($1)"
    static let all: Statement = "SELECT number FROM pg_temp.numbers ORDER BY number"

    private func numbers(on connection: inout Connection) throws(PostgresError) -> [Int64] {
        try connection.query(Self.all).decode { (number: Int64) in number }
    }

    private func connectWithTable() async throws -> Connection {
        var connection = try await connect()
        try connection.run(
            script: "CREATE TEMP TABLE numbers (number bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        return connection
    }

    private func inParts(
        _ connection: inout Connection, _ body: (inout PartwiseTransaction) throws -> Void
    ) throws {
        try connection.transaction { transaction in
            var parts = PartwiseTransaction(transaction)
            let outcome = Result { try body(&parts) }
            transaction = parts.end()
            try outcome.get()
        }
    }

    @Test func `parts that were ended stay when a later one is taken back`() async throws {
        var connection = try await connectWithTable()
        try inParts(&connection) { parts in
            _ = try parts.transaction.query(Self.insert, 1)
            try parts.nextPart()
            _ = try parts.transaction.query(Self.insert, 2)
            try parts.startOver()
            _ = try parts.transaction.query(Self.insert, 3)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 3])
        let wasRefused = isRefused {
            try inParts(&connection) { parts in
                _ = try parts.transaction.query(Self.insert, 4)
                try parts.nextPart()
                _ = try parts.transaction.query(Self.insert, 5)
                throw Refusal()
            }
        }
        #expect(wasRefused)
        let status = connection.transactionStatus
        #expect(status == .idle)
        let leftAfter = try numbers(on: &connection)
        #expect(leftAfter == [1, 3, 4])
    }

    @Test func `a part that cannot be committed is taken back alone, and can be begun again`() async throws {
        var connection = try await connectWithTable()
        try inParts(&connection) { parts in
            _ = try parts.transaction.query(Self.insert, 1)
            try parts.nextPart()
            _ = try parts.transaction.query(Self.insert, 2)
            _ = try parts.transaction.query(Self.insert, 1)
            // The constraint is checked at the commit.
            #expect(failure { try parts.nextPart() }?.sqlState == "23505")
            try parts.startOver()
            _ = try parts.transaction.query(Self.insert, 3)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1, 3])
    }

    @Test func `a savepoint inside a part is the part's`() async throws {
        var connection = try await connectWithTable()
        try inParts(&connection) { parts in
            try parts.transaction.savepoint { transaction in _ = try transaction.query(Self.insert, 1) }
            try parts.nextPart()
            let wasRefused = isRefused {
                try parts.transaction.savepoint { transaction in
                    _ = try transaction.query(Self.insert, 2)
                    throw Refusal()
                }
            }
            #expect(wasRefused)
        }
        let left = try numbers(on: &connection)
        #expect(left == [1])
    }
}

/// Whether the body throws a `Refusal`.
private func isRefused(_ body: () throws -> Void) -> Bool {
    do {
        try body()
        return false
    } catch {
        return error is SavepointTests.Refusal || error is PartwiseTransactionTests.Refusal
    }
}
