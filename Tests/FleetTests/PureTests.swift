internal import AMQP
internal import Contract
internal import Postgres
internal import Testing

@testable internal import Fleet
@testable internal import Jobs

@Suite struct RetryLadderTests {
    @Test("A failed job takes every step, in order, and is then given up")
    func failed() {
        let ladder = RetryLadder()
        let steps = (1...5).map { ladder.step(afterAttempt: $0, reason: .failed) }
        #expect(
            steps == [
                .wait(delayMilliseconds: 1_000, attempt: 2), .wait(delayMilliseconds: 5_000, attempt: 3),
                .wait(delayMilliseconds: 30_000, attempt: 4), .wait(delayMilliseconds: 300_000, attempt: 5), .giveUp,
            ])
    }

    @Test("A job whose tenant is not there takes three steps")
    func notYet() {
        let ladder = RetryLadder()
        #expect(ladder.step(afterAttempt: 3, reason: .notYet) == .wait(delayMilliseconds: 30_000, attempt: 4))
        #expect(ladder.step(afterAttempt: 4, reason: .notYet) == .giveUp)
        let short = RetryLadder(delaysMilliseconds: [10])
        #expect(short.step(afterAttempt: 1, reason: .notYet) == .wait(delayMilliseconds: 10, attempt: 2))
        #expect(short.step(afterAttempt: 2, reason: .notYet) == .giveUp)
        #expect(ladder.delayMilliseconds(atLeast: 1_001) == 5_000)
        #expect(ladder.delayMilliseconds(atLeast: 1_000_000) == 300_000)
        #expect(RetryLadder(delaysMilliseconds: []).delayMilliseconds(atLeast: 1) == nil)
    }

    @Test("A count of attempts that nobody could have made is given up, not crashed on", arguments: [Int64.min, -1, 0, 6, .max])
    func strangeCounts(attempt: Int64) {
        #expect(RetryLadder().step(afterAttempt: attempt, reason: .failed) == .giveUp)
        #expect(RetryLadder(delaysMilliseconds: []).step(afterAttempt: attempt, reason: .notYet) == .giveUp)
    }
}

@Suite struct QuarantineTests {
    @Test(
        "A job that was begun and not finished narrows its batch until it is alone",
        arguments: [(-1, 5_000), (0, 5_000), (1, 500), (2, 50), (3, 1), (4, 1), (Int64.max, 1)] as [(Int64, Int)])
    func batchLimit(begun: Int64, limit: Int) {
        #expect(Quarantine.batchLimit(begun: begun, limit: 5_000) == limit)
        #expect(Quarantine.batchLimit(begun: begun, limit: 1) == 1)
        #expect(Quarantine.isAlone(begun: begun) == (limit == 1))
    }

    @Test(
        "A job is given up after six deaths: the first, when it had not come back yet, and five that were noted",
        arguments: [(0, false), (3, false), (4, false), (5, true), (100, true)] as [(Int64, Bool)])
    func crashLoop(begun: Int64, isGivenUp: Bool) {
        #expect(Quarantine.isCrashLoop(begun: begun) == isGivenUp)
    }

    @Test("A job that is tried alone waits for the others, keeps newcomers out, and lets them in when it is through")
    func gate() {
        let gate = Quarantine.Gate()
        let a = gate.enter("a", alone: false)
        let b = gate.enter("b", alone: false)
        #expect(a != nil && b != nil)
        #expect(gate.enter("c", alone: true) == nil)
        #expect(gate.enter("d", alone: false) == nil)
        a?.leave()
        // Given back twice, it counts once.
        a?.leave()
        #expect(gate.enter("c", alone: true) == nil)
        b?.leave()
        let c = gate.enter("c", alone: true)
        #expect(c != nil)
        #expect(gate.enter("d", alone: false) == nil)
        #expect(gate.enter("e", alone: true) == nil)
        c?.leave()
        #expect(gate.enter("d", alone: false) == nil)
        gate.giveUp("e")
        #expect(gate.enter("d", alone: false) != nil)
    }

    @Test("Only so many jobs go on apart, and not all of them of one account; a place comes back when it is let go")
    func longJobs() {
        let longJobs = LongJobs()
        var own = (0..<LongJobs.mostPerAccount).map { _ in longJobs.enter(account: "acme") }
        #expect(own.allSatisfy { $0 != nil })
        #expect(longJobs.enter(account: "acme") == nil)
        let others = (LongJobs.mostPerAccount..<LongJobs.most).map { _ in longJobs.enter(account: nil) }
        #expect(others.allSatisfy { $0 != nil })
        #expect(longJobs.enter(account: "other") == nil)
        own.removeLast()
        #expect(longJobs.enter(account: "other") != nil)
        #expect(longJobs.count == LongJobs.most - 1)
        #expect(longJobs.enter(account: "acme") != nil)
        _ = (own, others)
    }
}

@Suite struct BackoffTests {
    @Test("Waits double from the base to the limit, each between half and all of it, and start anew after success")
    func bounds() {
        var backoff = Backoff(baseSeconds: 0.1, limitSeconds: 10)
        for round in 0..<2 {
            for failure in 0..<100 {
                var ceiling = 0.1
                for _ in 0..<min(failure, 20) { ceiling = min(10, ceiling * 2) }
                let seconds = backoff.nextSeconds()
                #expect(
                    seconds >= ceiling / 2 - 1e-9 && seconds <= ceiling + 1e-9, "round \(round), failure \(failure): \(seconds)")
            }
            backoff.reset()
        }
    }

    @Test("Two that fail together do not come back together")
    func jitter() {
        let waits = (0..<50).map { _ in
            var backoff = Backoff()
            return backoff.nextSeconds()
        }
        #expect(Set(waits).count > 1)
    }
}

@Suite struct TransactionFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: PostgresError.Kind
        let sqlState: String?
        let jobs: Int
        let repeats: Int
        let expected: String

        init(_ sqlState: String?, jobs: Int = 1, repeats: Int = 0, kind: PostgresError.Kind = .server, _ expected: String) {
            (self.kind, self.sqlState, self.jobs, self.repeats, self.expected) = (kind, sqlState, jobs, repeats, expected)
        }

        var testDescription: String { "\(sqlState ?? "\(kind)"), \(jobs) jobs, \(repeats) repeats: \(expected)" }
    }

    static let cases = [
        Case(nil, kind: .connection, "away"), Case(nil, jobs: 9, repeats: 99, kind: .connection, "away"), Case("57P01", "away"),
        Case("57P03", jobs: 2, "away"), Case("08006", "away"), Case("53100", "away"), Case("53300", jobs: 5, "away"),
        Case("58030", "away"),
        Case("40001", jobs: 100, "again"), Case("40P01", repeats: 19, "again"), Case("55P03", "apart"),
        Case("55P03", jobs: 2, "apart"), Case("55006", "apart"), Case("57014", "apart"), Case("57014", jobs: 40, "apart"),
        Case("40P01", jobs: 2, repeats: 20, "apart"), Case("40P01", repeats: 20, "apart"),
        Case("42P01", jobs: 7, "environment"), Case("3F000", "environment"), Case("42501", jobs: 9, "environment"),
        Case("42703", "environment"), Case("42883", "environment"), Case("25006", jobs: 7, "away"), Case("25P03", "away"),
        Case("53200", jobs: 7, "split"), Case("53200", "failed"), Case("0A000", jobs: 3, "away"), Case("26000", "away"),
        Case(nil, kind: .overdue, "cancelled"), Case(nil, jobs: 2, kind: .overdue, "split"), Case("54000", "invalid_payload"),
        Case("22P05", jobs: 2, "split"), Case("22003", "invalid_payload"),
        Case("23514", jobs: 3, "split"), Case("23514", "invalid_payload"), Case("23505", "conflict"),
        Case("23505", jobs: 2, "split"),
        Case("42601", jobs: 2, "split"), Case("42601", "failed"), Case("XX000", "failed"),
    ]

    @Test("What follows a failed transaction", arguments: cases)
    func follows(_ example: Case) {
        let error = PostgresError(example.kind, "for a test", sqlState: example.sqlState)
        let found: String =
            switch TransactionFailure(error, jobs: example.jobs, repeats: example.repeats) {
            case .again: "again"
            case .split: "split"
            case .databaseAway: "away"
            case .alone(.rejected(let rejection)): rejection.code.rawValue
            case .alone(.failed): "failed"
            case .alone(.cancelled): "cancelled"
            case .apart(_, let isEnvironment): isEnvironment ? "environment" : "apart"
            case .alone: "something else"
            }
        #expect(found == example.expected)
    }
}

@Suite struct InterruptionTests {
    static let mistakenStates = ["42601", "23505", "22P05", "XX000"]
    static let passingStates = ["40001", "40P01", "0A000", "26000", "53200", "53400"]
    static let awayStates = [
        "57P01", "57P03", "08006", "53100", "53300", "58030", "25006", "55P03", "57014", "42P01", "42703", "42501", "3F000",
    ]

    private func word(_ interruption: Interruption) -> String {
        switch interruption {
        case .brokerLost: "broker"
        case .databaseAway: "away"
        case .stopped: "stopped"
        case .fatal: "fatal"
        }
    }

    @Test("A statement of the fleet's own that is wrong is fatal at once", arguments: mistakenStates)
    func fatal(sqlState: String) {
        var patience = DatabasePatience()
        #expect(word(patience.interruption(by: PostgresError(.server, "for a test", sqlState: sqlState))) == "fatal")
    }

    @Test("A call that the driver refuses is a mistake, a connection that is refused is not")
    func driver() {
        var patience = DatabasePatience()
        #expect(word(patience.interruption(by: PostgresError(.usage, "for a test"))) == "fatal")
        #expect(word(patience.interruption(by: PostgresError(.connection, "for a test"))) == "away")
    }

    @Test("A database that is away is waited for as long as it takes", arguments: awayStates)
    func away(sqlState: String) {
        var patience = DatabasePatience()
        for _ in 0..<1_000 {
            #expect(word(patience.interruption(by: PostgresError(.server, "for a test", sqlState: sqlState))) == "away")
        }
    }

    @Test("What passes by itself is tried again, but not for ever", arguments: passingStates)
    func passing(sqlState: String) {
        let error = PostgresError(.server, "for a test", sqlState: sqlState)
        var patience = DatabasePatience()
        for _ in 0..<2 {
            for _ in 0..<DatabasePatience.mostRepeats {
                // That the database was away in between does not count.
                #expect(word(patience.interruption(by: PostgresError(.connection, "for a test"))) == "away")
                #expect(word(patience.interruption(by: error)) == "away")
            }
            #expect(word(patience.interruption(by: error)) == "fatal")
            patience.reset()
        }
    }

    @Test("An error of the broker's connection is the loss of the broker, whatever it is")
    func broker() {
        for kind in [AMQPError.Kind.connection, .channel, .library, .usage, .timeout, .blocked] {
            do throws(Interruption) {
                try Interruption.onBroker { () throws(AMQPError) in throw AMQPError(kind, "for a test") }
                Issue.record("nothing was thrown")
            } catch {
                #expect(word(error) == "broker")
                #expect("\(error)".contains("for a test"))
            }
        }
    }
}

@Suite struct DutyScheduleTests {
    @Test("A duty has its first turn at once and the next after its interval, whatever the others do")
    func turns() {
        var schedule = DutySchedule()
        let turns = [("a", 10), ("a", 11.9), ("b", 11.9), ("a", 12), ("a", 13.9), ("a", 20), ("b", 71.8), ("b", 71.9)]
        let due = turns.map { name, now in schedule.isDue(name, every: name == "a" ? 2 : 60, now: now) }
        #expect(due == [true, false, true, true, false, true, false, true])
    }
}

@Suite struct LaneControlTests {
    @Test("A stop is seen by all, and a later one does not move its deadline")
    func stop() {
        let control = LaneControl()
        #expect(!control.isStopping && !control.isOverdue)
        control.stop(withinSeconds: 0)
        #expect(control.isStopping)
        while !control.isOverdue {}
        control.stop(withinSeconds: 1_000)
        #expect(control.isOverdue)
        // Wakes at once rather than in an hour; the test would not end otherwise.
        control.sleep(seconds: 3_600)
    }

    @Test("A deadline that is far away is not over")
    func patience() {
        let control = LaneControl()
        control.stop(withinSeconds: 1_000)
        #expect(control.isStopping && !control.isOverdue)
    }
}

@Suite struct BearerTests {
    @Test(
        "A credential is a key and a secret with a dot between, with or without the word before it",
        arguments: [
            ("Bearer k.s", "k", "s"), ("bearer k.s", "k", "s"), ("k.s", "k", "s"), ("BEARER k.s.t", "k", "s.t"),
        ])
    func good(text: String, key: String, secret: String) throws {
        let bearer = try #require(Bearer(text))
        #expect(bearer.key == key && bearer.secret == secret)
    }

    @Test(
        "What is no credential is none",
        arguments: [
            "", "Bearer", "Bearer ", "k", ".s", "k.", ".", "Bearer k\u{0}.s", String(repeating: "k", count: 129) + ".s",
            "k." + String(repeating: "s", count: 257),
        ])
    func bad(text: String) {
        #expect(Bearer(text) == nil)
    }

    @Test("A new credential is long, its own, and hashed by its secret alone")
    func fresh() {
        let bearers = (0..<100).map { _ in Bearer.make(prefix: "tok") }
        #expect(Set(bearers.map(\.secret)).count == 100 && Set(bearers.map(\.key)).count == 100)
        #expect(
            bearers.allSatisfy {
                $0.secret.utf8.count >= 43 && $0.key.hasPrefix("tok_") && Bearer($0.token) == $0 && $0.secretHash.count == 32
            })
    }
}
