internal import Testing

@testable internal import Fleet

@Suite struct PaceTests {
    @Test("A lane begins with little in hand, and comes to what it clears in a second")
    func grows() {
        var pace = Pace(most: 10_000, extra: 2)
        #expect(pace.first == 102)
        pace.note(jobs: 100, seconds: 0.01)
        #expect(pace.change(from: 102, now: 1) == 10_002)
        // Not for every difference, and not all the time.
        pace.note(jobs: 5_000, seconds: 1)
        #expect(pace.change(from: 10_002, now: 1.1) == nil)
        #expect(pace.change(from: 10_002, now: 2) == nil)
    }

    @Test("Batches that are through soon and took all there was make room for larger ones at once; single jobs at rest do not")
    func begins() {
        var pace = Pace(most: 10_000, extra: 0)
        pace.note(jobs: 90, seconds: 0.09)
        #expect(pace.change(from: 100, now: 1) == 2_000)
        var slow = Pace(most: 10_000, extra: 0)
        slow.note(jobs: 60, seconds: 0.2)
        #expect(slow.change(from: 100, now: 1) == 600)
        slow.note(jobs: 400, seconds: 0.2)
        #expect(slow.change(from: 600, now: 1.01) == 2_400)
        var resting = Pace(most: 10_000, extra: 0)
        for _ in 0..<9 { resting.note(jobs: 1, seconds: 0.01) }
        #expect(resting.change(from: 100, now: 1) == nil)
    }

    @Test("A lane that takes long for a job leaves the others to whoever is free")
    func shrinks() {
        var pace = Pace(most: 10_000, extra: 0)
        for _ in 0..<20 { pace.note(jobs: 1, seconds: 5) }
        #expect(pace.change(from: 100, now: 1) == Pace.least)
        #expect(pace.change(from: Pace.least, now: 2) == nil)
        var fast = Pace(most: 50, extra: 0)
        #expect(fast.first == 50)
        fast.note(jobs: 50, seconds: 0)
        #expect(fast.change(from: 50, now: 1) == nil)
    }
}
