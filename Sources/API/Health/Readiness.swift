/// Whether a worker makes progress, as `/ready` and `/live` tell it.
public struct Readiness: Sendable {
    /// What `/ready` is 503 for, in words for whoever is to mend it; empty: 200. No secrets.
    public var problems: [String]
    /// Whether the worker's threads live: `/live` is 503 if not, and starting it anew is what helps.
    public var isLive: Bool
    /// The state of each part, shown as it is: a lane's name → `running`, `waiting for broker`. No secrets.
    public var details: [String: String]

    public init(problems: [String], isLive: Bool = true, details: [String: String]) {
        self.problems = problems
        self.isLive = isLive
        self.details = details
    }

    public var isReady: Bool { problems.isEmpty }
}
