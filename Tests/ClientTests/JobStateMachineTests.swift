internal import Testing

@testable internal import TenantryClient

/// The client's bookkeeping, without a server.
@Suite struct JobStateMachineTests {
    private let start = ContinuousClock.now

    private func job(_ id: String, answer: Bool = true, bytes: Int = 2, seconds: Double? = nil) -> JobStateMachine.Job {
        JobStateMachine.Job(
            request: JobRequest(kind: "a.b", body: [UInt8](repeating: 0x20, count: bytes), id: id), wantsAnswer: answer,
            enqueuedAt: 0, deadline: seconds.map { start + .seconds($0) })
    }

    /// A connected machine that has taken in these jobs, with tickets from 1.
    private func machine(_ jobs: JobStateMachine.Job..., limits: JobStateMachine.Limits = .init()) -> JobStateMachine {
        var machine = JobStateMachine(limits)
        machine.connected()
        for (index, job) in jobs.enumerated() { #expect(machine.submit(job, as: UInt64(index + 1)) == nil) }
        return machine
    }

    private func publish(_ machine: inout JobStateMachine, from sequence: UInt64 = 1, most: Int = 100) -> [UInt64] {
        let tickets = machine.takePublishes(most).map(\.ticket)
        for (index, ticket) in tickets.enumerated() { machine.published(ticket, sequence: sequence + UInt64(index)) }
        return tickets
    }

    private func kind(_ progress: JobStateMachine.Progress?) -> ClientError.Kind? {
        guard case .failed(let error)? = progress?.outcome else { return nil }
        return error.kind
    }

    @Test("Jobs go out in the order of their handing over, none before there is a connection")
    func order() {
        var machine = JobStateMachine()
        for ticket in 1...5 { #expect(machine.submit(job("\(ticket)"), as: UInt64(ticket)) == nil) }
        #expect(machine.takePublishes(10).isEmpty)
        #expect(machine.hasPublishes() == false)
        machine.connected()
        #expect(machine.takePublishes(3).map(\.ticket) == [1, 2, 3])
        #expect(machine.takePublishes(3).map(\.ticket) == [4, 5])
        #expect(machine.hasPublishes() == false)
    }

    @Test("A job without an answer is done when it is confirmed, one with an answer when that is here, in whatever order")
    func done() {
        var machine = machine(job("a", answer: false), job("b"), job("c"))
        #expect(publish(&machine) == [1, 2, 3])
        let first = machine.confirmed(1, .accepted)
        guard case .handedOver? = first?.outcome, first?.isAnswerMissing == false else {
            Issue.record("\(String(describing: first))")
            return
        }
        #expect(machine.confirmed(2, .accepted)?.isAnswerMissing == true)
        guard case .answered([1, 2])? = machine.answered(2, [1, 2])?.outcome else { return #expect(Bool(false)) }
        #expect(machine.answered(2, [1, 2]) == nil, "only once")
        #expect(machine.answered(3, []) != nil, "before its confirm")
        #expect(machine.confirmed(3, .accepted) == nil)
        #expect(machine.entries.isEmpty && machine.unconfirmed.isEmpty)
    }

    @Test("What the broker refuses or has no queue for fails by itself")
    func refusals() {
        var machine = machine(job("a"), job("b", answer: false), job("c"))
        #expect(publish(&machine).count == 3)
        #expect(kind(machine.confirmed(1, .refused)) == .refused)
        #expect(kind(machine.confirmed(2, .unroutable)) == .unroutable)
        #expect(machine.entries.keys.sorted() == [3])
    }

    @Test("After a loss everything unconfirmed or unanswered goes out again, in order and before what waited")
    func resend() {
        var machine = machine(
            job("a"), job("b"), job("c", answer: false), job("d", answer: false), limits: .init(mostInFlight: 4))
        #expect(publish(&machine) == [1, 2, 3, 4])
        #expect(machine.submit(job("e"), as: 5) == nil)
        _ = machine.confirmed(1, .accepted)
        _ = machine.confirmed(4, .accepted)
        machine.lost(ClientError(.connection, "gone"))
        #expect(machine.takePublishes(10).isEmpty)
        machine.connected()
        #expect(publish(&machine) == [1, 2, 3, 5])
        #expect(machine.confirmed(4, .accepted) != nil, "sequences begin anew with the connection")
        #expect(machine.answered(1, []) != nil)
        #expect(machine.answered(2, []) != nil)
    }

    @Test("What was taken out to be sent when the connection broke is not lost")
    func halfSent() {
        var machine = machine(job("a"), job("b"), job("c"))
        let taken = machine.takePublishes(2).map(\.ticket)
        machine.published(taken[0], sequence: 1)
        machine.lost(ClientError(.connection, "gone"))
        machine.connected()
        #expect(publish(&machine) == [1, 2, 3])
    }

    @Test("When the broker closes the channel over a publish, those it did not confirm fail and the others go on")
    func channelError() {
        var machine = machine(job("a"), job("b"), job("c"))
        #expect(publish(&machine, most: 2) == [1, 2])
        _ = machine.confirmed(1, .accepted)
        let failed = machine.failUnconfirmed(ClientError(.unroutable, "no exchange"))
        #expect(failed.map(\.ticket) == [2] && kind(failed.first) == .unroutable)
        machine.lost(ClientError(.unroutable, "no exchange"))
        machine.connected()
        #expect(publish(&machine) == [1, 3])
    }

    @Test("At most so many jobs, and bytes, and unconfirmed ones are in flight; one that is too large goes alone")
    func bounds() {
        var few = machine(job("a"), job("b"), job("c"), limits: .init(mostInFlight: 2))
        #expect(publish(&few) == [1, 2])
        _ = few.confirmed(1, .accepted)
        #expect(few.hasPublishes() == false, "a confirmed job still waits for its answer")
        _ = few.answered(1, [])
        #expect(publish(&few, from: 3) == [3])

        var small = machine(job("a", bytes: 60), job("b", bytes: 60), job("c", bytes: 500), limits: .init(mostBytesInFlight: 100))
        #expect(publish(&small) == [1])
        _ = small.answered(1, [])
        #expect(publish(&small, from: 2) == [2])
        _ = small.cancel(2)
        #expect(publish(&small, from: 3) == [3])

        var slow = machine(job("a"), job("b"), job("c"), limits: .init(mostUnconfirmed: 2))
        #expect(publish(&slow) == [1, 2])
        _ = slow.cancel(1)
        #expect(slow.hasPublishes() == false, "whoever gave up, the confirm is still to come")
        _ = slow.confirmed(1, .accepted)
        #expect(publish(&slow, from: 3) == [3])
    }

    @Test("Time ends each job by itself, and says what is known of it")
    func time() {
        var machine = machine(job("a", seconds: 1), job("b", seconds: 2), job("c", seconds: 3), job("d"))
        #expect(publish(&machine, most: 2) == [1, 2])
        _ = machine.confirmed(1, .accepted)
        #expect(machine.expire(at: start).isEmpty)
        #expect(machine.earliestDeadline == start + .seconds(1))
        for (second, text) in [(1.0, "it stays queued"), (2, "did not confirm"), (3, "was not sent")] {
            let late = machine.expire(at: start + .seconds(second))
            #expect(late.count == 1 && kind(late.first) == .timeout)
            guard case .failed(let error)? = late.first?.outcome else { continue }
            #expect(error.message.contains(text) && error.jobID != nil, "\(error)")
        }
        #expect(machine.earliestDeadline == nil && machine.entries.count == 1)
        #expect(machine.answered(1, []) == nil, "an answer that nobody waits for")
    }

    @Test("Without a connection until its time is over, a job fails with what is known of the connection")
    func noConnection() {
        var machine = JobStateMachine()
        _ = machine.submit(job("a", seconds: 1), as: 1)
        machine.lost(ClientError(.connection, "refused", replyCode: 403))
        let late = machine.expire(at: start + .seconds(1))
        guard case .failed(let error)? = late.first?.outcome else { return #expect(Bool(false)) }
        #expect(error.kind == .connection && error.replyCode == 403 && error.message.contains("refused"))
    }

    @Test("While the broker takes no publishes none go out, and one that came back goes first afterwards")
    func blocked() {
        var machine = machine(job("a"), job("b", seconds: 1))
        #expect(machine.takePublishes(1).map(\.ticket) == [1])
        machine.isBlocked = true
        machine.putBack(1)
        #expect(machine.hasPublishes() == false)
        #expect(machine.takePublishes(10).isEmpty)
        let late = machine.expire(at: start + .seconds(1))
        guard case .failed(let error)? = late.first?.outcome else { return #expect(Bool(false)) }
        #expect(error.kind == .timeout && error.message.contains("takes no publishes"))
        machine.isBlocked = false
        #expect(publish(&machine) == [1])
    }

    @Test("A job that is cancelled is forgotten wherever it is, and what comes for it later hurts nobody")
    func cancelled() {
        var machine = machine(job("a"), job("b"), job("c"))
        #expect(machine.cancel(2)?.request.id == "b")
        #expect(machine.cancel(2) == nil)
        #expect(publish(&machine) == [1, 3])
        _ = machine.cancel(1)
        #expect(machine.confirmed(1, .accepted) == nil)
        #expect(machine.answered(1, []) == nil)
        machine.lost(ClientError(.connection, "gone"))
        machine.connected()
        #expect(publish(&machine) == [3])
    }

    @Test("Those who gave up while there was no connection do not pile up")
    func noPile() {
        var machine = JobStateMachine()
        for ticket in 1...100_000 as ClosedRange<UInt64> {
            _ = machine.submit(job("x"), as: ticket)
            _ = machine.cancel(ticket)
        }
        #expect(machine.queue.count <= 1_024)
    }

    @Test("Draining takes nothing new and is over with the last job; closing fails them all")
    func end() {
        var draining = machine(job("a"))
        draining.drain()
        #expect(draining.submit(job("b"), as: 2)?.kind == .closed)
        #expect(!draining.isOver)
        #expect(publish(&draining) == [1])
        _ = draining.answered(1, [])
        #expect(draining.isOver)

        var closed = machine(job("a"), job("b"))
        #expect(publish(&closed, most: 1) == [1])
        #expect(closed.close().map { kind($0) } == [.closed, .closed])
        #expect(closed.isOver)
        #expect(closed.submit(job("c"), as: 3)?.kind == .closed)
    }
}
