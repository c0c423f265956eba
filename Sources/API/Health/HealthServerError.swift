/// The server could not listen, or stopped serving.
public struct HealthServerError: Error, Sendable, CustomStringConvertible {
    /// Where it was to listen.
    public let host: String
    /// The port asked for; 0 for any free one.
    public let port: Int
    /// What the operating system or the server said.
    public let message: String

    public var description: String { "health server on \(host):\(port): \(message)" }
}
