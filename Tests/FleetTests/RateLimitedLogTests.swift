internal import Fleet
internal import Logging
internal import Synchronization
internal import Testing

@Suite struct RateLimitedLogTests {
    /// What arrives, and a clock that is set by hand.
    private final class Recorder: Sendable {
        let lines = Mutex<[String]>([])
        let now = Mutex(0.0)

        var logger: Logger {
            Logger(label: "test") { _ in
                RateLimitedLogHandler(Handler(recorder: self)) { [self] in now.withLock { $0 } }
            }
        }

        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private struct Handler: LogHandler {
        let recorder: Recorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let suppressed = event.metadata?["suppressed"].map { " (\($0))" } ?? ""
            recorder.lines.withLock { $0.append("\(event.message)\(suppressed)") }
        }
    }

    @Test(
        "Of each cause one line a second is passed on, and it says how many were left out; nothing is left out of what only informs"
    )
    func limited() {
        let recorder = Recorder()
        let logger = recorder.logger
        for port in 0..<700 { logger.warning("lost", metadata: ["error": "refused on port \(port)", "lane": "\(port)"]) }
        logger.warning("lost", metadata: ["error": "timed out"])
        for _ in 0..<3 { logger.info("seen") }
        #expect(recorder.take() == ["lost", "lost", "seen", "seen", "seen"])
        recorder.now.withLock { $0 = 0.9 }
        logger.warning("lost", metadata: ["error": "refused on port 1"])
        #expect(recorder.take() == [])
        recorder.now.withLock { $0 = 1.1 }
        logger.warning("lost", metadata: ["error": "refused on port 2"])
        #expect(recorder.take() == ["lost (700)"])
    }

    @Test("What was left out last is told with the next line of another cause")
    func last() {
        let recorder = Recorder()
        let logger = recorder.logger
        for _ in 0..<5 { logger.error("first") }
        #expect(recorder.take() == ["first"])
        recorder.now.withLock { $0 = 2 }
        logger.error("second")
        #expect(recorder.take() == ["first (3)", "second"])
        recorder.now.withLock { $0 = 4 }
        logger.error("first")
        #expect(recorder.take() == ["first"])
    }
}
