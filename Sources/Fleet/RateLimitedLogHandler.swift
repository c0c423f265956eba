public import Contract
public import Logging
internal import Synchronization

/// Passes on one line a second of each cause, with how many were left out: in an outage each lane says the same again and again.
///
/// A cause is a message with the error that it names; numbers in it, such as ports and process ids, make no difference. Only what is logged as a
/// notice or worse is limited. What was left out last is told with the next line of any cause.
public struct RateLimitedLogHandler: LogHandler {
    /// The metadata key of how many lines of the same cause were left out before.
    public static let key = "suppressed"
    private static let intervalSeconds = 1.0
    /// Causes that are remembered. When there are more, all are forgotten, and each has its line again.
    private static let mostCauses = 500

    private struct Cause {
        var loggedAt: Double
        var suppressed = 0
        /// The last one that was left out.
        var last: LogEvent?
    }

    private final class State: Sendable {
        let causes = Mutex<[String: Cause]>([:])
    }

    private var base: any LogHandler
    private let state = State()
    private let clock: @Sendable () -> Double

    /// - Parameter clock: seconds that only grow.
    public init(_ base: any LogHandler, clock: @escaping @Sendable () -> Double = SystemClock.monotonicSeconds) {
        self.base = base
        self.clock = clock
    }

    public var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    public var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    public var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) {
        guard event.level >= .notice else { return base.log(event: event) }
        let now = clock()
        let cause = Self.cause(of: event)
        let lines = state.causes.withLock { causes in
            var lines = Self.takeOverdue(&causes, now, but: cause)
            if causes.count >= Self.mostCauses { causes.removeAll() }
            var entry = causes[cause] ?? Cause(loggedAt: -.infinity)
            if now - entry.loggedAt < Self.intervalSeconds {
                entry.suppressed += 1
                entry.last = event
            } else {
                lines.append(Self.line(event, suppressed: entry.suppressed))
                entry = Cause(loggedAt: now)
            }
            causes[cause] = entry
            return lines
        }
        for line in lines { base.log(event: line) }
    }

    /// The lines of those causes that have not come again since some were left out.
    private static func takeOverdue(_ causes: inout [String: Cause], _ now: Double, but cause: String) -> [LogEvent] {
        var lines: [LogEvent] = []
        for (key, entry) in causes where key != cause && now - entry.loggedAt >= intervalSeconds {
            if let last = entry.last { lines.append(line(last, suppressed: entry.suppressed - 1)) }
            causes[key] = nil
        }
        return lines
    }

    private static func line(_ event: LogEvent, suppressed: Int) -> LogEvent {
        guard suppressed > 0 else { return event }
        var event = event
        event.metadata = (event.metadata ?? [:]).merging([key: "\(suppressed)"]) { _, count in count }
        return event
    }

    private static func cause(of event: LogEvent) -> String {
        let error = event.metadata?[LogKey.error].map { "\($0)" } ?? ""
        return "\(event.message) \(error)".filter { !$0.isNumber }
    }
}
