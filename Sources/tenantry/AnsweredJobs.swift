internal import Synchronization
internal import TenantryClient

/// Jobs whose answers are taken as they come, in whatever order, until none came for a time.
struct AnsweredJobs {
    /// Jobs sent and not answered.
    private static let mostWaiting = 5_000
    private static let confirmSeconds = 30.0

    private enum Step: Sendable {
        case answer(Int, ReceivedAnswer)
        case time
    }

    /// Which jobs the broker has not confirmed, and when something last happened. Written from wherever confirms are told.
    private final class Course: Sendable {
        struct State {
            var unconfirmed: Set<Int> = []
            var lastNews = ContinuousClock.now
        }
        let state = Mutex(State())

        func sent(_ index: Int) { _ = state.withLock { $0.unconfirmed.insert(index) } }

        func settled(_ index: Int) {
            state.withLock { state in
                state.unconfirmed.remove(index)
                state.lastNews = .now
            }
        }
    }

    let client: JobClient
    /// The longest wait for the next answer.
    let seconds: Double

    /// Sends jobs and takes their answers.
    ///
    /// - Parameter take: the job's index and its answer.
    /// - Returns: how many were not answered when none came for so long. They all are with the broker.
    func take(_ requests: [JobRequest], _ take: (Int, ReceivedAnswer) throws -> Void) async throws -> Int {
        try await withThrowingTaskGroup(of: Step.self) { group in
            let course = Course()
            var (sent, answered) = (0, 0)
            func send() {
                let (index, request) = (sent, requests[sent])
                sent += 1
                course.sent(index)
                group.addTask { [client] in
                    .answer(index, try await client.send(request) { course.settled(index) })
                }
            }
            while sent < min(requests.count, Self.mostWaiting) { send() }
            group.addTask { .time }
            while answered < requests.count, let step = try await group.next() {
                switch step {
                case .answer(let index, let answer):
                    answered += 1
                    course.settled(index)
                    try take(index, answer)
                    if sent < requests.count { send() }
                case .time:
                    let (isConfirmed, lastNews) = course.state.withLock { ($0.unconfirmed.isEmpty, $0.lastNews) }
                    let end = lastNews + .seconds(isConfirmed ? seconds : max(seconds, Self.confirmSeconds))
                    if ContinuousClock.now < end {
                        let next = isConfirmed ? end : min(end, .now + .milliseconds(20))
                        group.addTask {
                            try await Task.sleep(until: next, clock: .continuous)
                            return .time
                        }
                        continue
                    }
                    guard isConfirmed else {
                        throw Failure("the broker did not confirm the jobs within \(Int(Self.confirmSeconds)) seconds")
                    }
                    group.cancelAll()
                    // Those that waited for room are sent all the same, as the others were.
                    try await client.handOver(requests[sent...])
                    return requests.count - answered
                }
            }
            group.cancelAll()
            return 0
        }
    }
}
