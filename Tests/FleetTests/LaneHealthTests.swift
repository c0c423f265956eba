internal import Testing

@testable internal import Fleet

@Suite struct LaneHealthTests {
    @Test("A worker is ready when all lanes run, the servers have what they should, and no batch is in hand for too long")
    func ready() {
        let health = LaneHealth(lanes: ["a", "b"], stuckSeconds: 0)
        #expect(!health.isReady && health.isLive)
        health.set("a", .running)
        health.set("b", .waitingForBroker, cause: "refused")
        #expect(health.problems == ["lane b: waiting for broker: refused"])
        health.set("b", .running)
        #expect(health.isReady)

        health.note("a", isAtWork: true)
        #expect(health.problems.count == 1 && health.problems[0].hasPrefix("lane a: a batch has been in hand for "))
        #expect(health.stuckLanes == 1 && health.isLive)
        health.note("a", isAtWork: false)
        #expect(health.isReady && health.stuckLanes == 0)

        health.turn("a", jobs: 7, isBlocked: true)
        health.turn("b", jobs: 3, isBlocked: false)
        #expect(health.inHand.jobs == 10)
        #expect(health.problems == ["lane a: the broker is in alarm and takes no messages"])
        health.turn("a", jobs: 0, isBlocked: false)

        health.note(.broker, ["queue x is missing"])
        health.note(.database, ["it only reads"])
        #expect(health.problems == ["broker: queue x is missing", "database: it only reads"])
        health.note(.broker, [])
        health.note(.database, [])
        #expect(health.isReady)
        health.drain()
        #expect(health.problems == ["draining: it takes no further jobs"])
        #expect(health.isLive)
    }

    @Test("Only a lane that has failed makes a worker dead, not one that waits")
    func live() {
        let health = LaneHealth(lanes: ["a", "b"], stuckSeconds: 30)
        health.set("a", .waitingForDatabase)
        health.set("b", .stopped)
        #expect(health.isLive)
        health.set("a", .failed, cause: "wrong")
        #expect(!health.isLive)
        #expect(health.problems == ["lane a: failed: wrong", "lane b: stopped"])
    }
}
