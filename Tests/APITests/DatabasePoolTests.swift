internal import Dispatch
internal import HTTPTypes
internal import Postgres
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import API

/// Who gets a connection of the API's.
@Suite struct DatabasePoolTests {
    /// Works that hold their connections until they are let go.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let count = Mutex(0)

        var begun: Int { count.withLock { $0 } }

        func pass() {
            count.withLock { $0 += 1 }
            semaphore.wait()
        }

        func open(_ works: Int) { for _ in 0..<works { semaphore.signal() } }
    }

    @Test func `One account's requests take half of the connections and half of the line, and nobody else waits for them`()
        async throws
    {
        let place = try await TestServers.shared.migratedDatabase()
        let pool = DatabasePool(ConnectionOptions(url: place.apiURL), size: 4)
        defer { pool.close() }
        let gate = Gate()
        let many = 256 + 2
        try await withThrowingTaskGroup(of: Bool.self) { group in
            func hold(_ account: String) {
                group.addTask {
                    do {
                        try await pool.run(for: account) { _, _ in gate.pass() }
                        return true
                    } catch let problem as Problem where problem.status == .serviceUnavailable {
                        return false
                    }
                }
            }
            for _ in 0..<2 { hold("greedy") }
            try await eventually("two are at work") { gate.begun == 2 }
            for _ in 2..<many { hold("greedy") }
            try await eventually("half of the line is full") { pool.waiting == 256 }
            await #expect(throws: Problem.self) { try await pool.run(for: "greedy") { _, _ in gate.pass() } }
            for account in ["other", nil] {
                let one = try await pool.run(for: account) { database, _ in try database.query("select 1").only(Int64.self) }
                #expect(one == 1)
            }
            #expect(gate.begun == 2, "the others of this account wait, though connections are free")
            gate.open(many)
            var done = 0
            for try await isDone in group where isDone { done += 1 }
            #expect(done == many)
        }
        #expect(gate.begun == many)
    }
}
