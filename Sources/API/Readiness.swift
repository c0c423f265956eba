/// Whether a worker can take jobs, as `/ready` tells it.
public struct Readiness: Sendable {
    /// Whether every lane is connected and consuming: 200 when true, 503 when not.
    public var isReady: Bool
    /// The state of each part, shown as it is: a lane's name → `running`, `waiting for broker`. No secrets.
    public var details: [String: String]

    public init(isReady: Bool, details: [String: String]) {
        self.isReady = isReady
        self.details = details
    }
}
