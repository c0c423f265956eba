internal import CoreMetrics
internal import Jobs
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Calls webhooks with what waits for them, beside a worker's lanes, until its group shuts down. Any number of workers may run one: each line of
/// deliveries is in the hands of one of them at a time, and goes on elsewhere if that one dies. What was sent and not noted by then is sent
/// once more, under the same id.
public struct WebhookDispatcher: Service {
    /// How often it is looked for lines that have something to do.
    private static let pollSeconds = 0.5
    /// Where more lines wait than are served at once, each has its turn for so long.
    private static let turnSeconds = 10.0
    /// What came of attempts is written down after so long at the latest.
    private static let recordSeconds = 0.2
    /// So long attempts that are under way may take when the worker stops.
    private static let drainSeconds = 5.0

    private let store: DeliveryStore
    private let shared: LineCaller.Shared
    private let parallel: Int
    private let logger: Logger
    private let metrics = Measures()

    /// - Throws: what of the certificates' files cannot be read.
    public init(_ options: WebhookOptions, logger: Logger) throws {
        try self.init(options, logger: logger, resolver: .system, ahead: { 0 })
    }

    init(
        _ options: WebhookOptions, logger: Logger, resolver: AddressResolver, ahead: @escaping @Sendable () -> Double
    ) throws {
        store = DeliveryStore(
            holder: Bearer.make(prefix: "dispatcher").key,
            connection: QueuedConnection(options.database, name: "tenantry webhooks"), ahead: ahead)
        shared = LineCaller.Shared(
            rule: DestinationRule(allowsLoopback: options.allowsLoopback), resolver: resolver,
            trust: try Destination.Trust(certificateFiles: options.certificateFiles), attemptSeconds: options.attemptSeconds,
            ahead: ahead)
        parallel = options.parallel
        self.logger = logger
    }

    public func run() async throws {
        let course = Course()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                await takeLines(course, in: &group)
                // Lines end after the attempt that they are at.
                let end = ContinuousClock.now + .seconds(Self.drainSeconds)
                while course.inHand > 0, ContinuousClock.now < end, !Task.isCancelled { await pause(0.02) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            course.stop()
        }
    }

    /// How far all of it is.
    private final class Course: Sendable {
        private let state = Mutex((inHand: 0, isStopping: false))

        var inHand: Int { state.withLock { $0.inHand } }
        var isStopping: Bool { state.withLock { $0.isStopping } }

        func stop() { state.withLock { $0.isStopping = true } }

        /// - Returns: how many there are now.
        @discardableResult
        func add(_ lines: Int) -> Int {
            state.withLock { state in
                state.inHand += lines
                return state.inHand
            }
        }
    }

    private func takeLines(_ course: Course, in group: inout DiscardingTaskGroup) async {
        var failures = 0
        while !course.isStopping, !Task.isCancelled {
            do {
                let room = parallel - course.inHand
                let lines = room > 0 ? try await store.claim(most: room) : []
                metrics.lines.record(course.add(lines.count))
                for line in lines {
                    group.addTask {
                        await serve(line, course)
                        metrics.lines.record(course.add(-1))
                    }
                }
                failures = 0
                await pause(Self.pollSeconds)
            } catch {
                failures += 1
                logger.warning("webhooks cannot be read, trying again", metadata: ["error": "\(error)"])
                await pause(min(Double(failures), 10))
            }
        }
    }

    /// Makes a line's deliveries until there is none that is due, or others wait for a turn.
    private func serve(_ line: DeliveryLine, _ course: Course) async {
        var caller = LineCaller(shared)
        do {
            let end = ContinuousClock.now + .seconds(Self.turnSeconds)
            func isOver() -> Bool {
                course.isStopping || Task.isCancelled || course.inHand >= parallel && ContinuousClock.now > end
            }
            while !isOver(), let (endpoint, due) = try await store.next(in: line), !due.isEmpty {
                if try await !make(due, at: endpoint, line, &caller, until: isOver) { break }
            }
            try await store.release(line)
        } catch {
            // The line is free again when its time is over.
            logger.warning(
                "deliveries of a webhook cannot be read or noted, trying again",
                metadata: ["webhook": "\(line.webhook)", "error": "\(error)"])
        }
        await caller.end()
    }

    /// - Returns: whether there may be more.
    private func make(
        _ deliveries: [DueDelivery], at endpoint: Endpoint, _ line: DeliveryLine, _ caller: inout LineCaller,
        until isOver: () -> Bool
    ) async throws -> Bool {
        var results: [AttemptResult] = []
        var recorded = ContinuousClock.now
        for delivery in deliveries {
            guard !isOver(), let result = try? await caller.attempt(delivery, at: endpoint) else { break }
            metrics.count(result)
            results.append(result)
            if result.isGone { break }
            if recorded.duration(to: .now) > .seconds(Self.recordSeconds) {
                guard try await record(&results, line) else { return false }
                recorded = .now
            }
        }
        return try await record(&results, line) && !isOver()
    }

    /// - Returns: whether the line goes on.
    private func record(_ results: inout [AttemptResult], _ line: DeliveryLine) async throws -> Bool {
        defer { results.removeAll() }
        switch try await store.record(results, of: line) {
        case .goesOn: return true
        case .lost: return false
        case .disabled(let reason):
            metrics.disabled.increment()
            logger.error("a webhook was disabled", metadata: ["webhook": "\(line.webhook)", "reason": "\(reason)"])
            return false
        }
    }

    private func pause(_ seconds: Double) async {
        // Cancelled, it is over at once, as it should be.
        try? await Task.sleep(for: .seconds(seconds))
    }

    /// What is counted.
    private struct Measures: Sendable {
        let succeeded = Counter(label: "tenantry_webhook_attempts_total", dimensions: [("outcome", "succeeded")])
        let failed = Counter(label: "tenantry_webhook_attempts_total", dimensions: [("outcome", "failed")])
        let seconds = Recorder(label: "tenantry_webhook_attempt_seconds", aggregate: true)
        let disabled = Counter(label: "tenantry_webhooks_disabled_total")
        let lines = Gauge(label: "tenantry_webhook_lines")

        func count(_ result: AttemptResult) {
            (result.error == nil ? succeeded : failed).increment()
            seconds.record(Double(result.durationMilliseconds) / 1_000)
        }
    }
}
