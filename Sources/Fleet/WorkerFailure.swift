/// Why a worker ended without having been asked to: something that waiting does not mend.
public struct WorkerFailure: Error, CustomStringConvertible {
    /// The lane, or `duties` for the thread of what is not a job.
    public let thread: String
    public let cause: any Error

    public var description: String { "\(thread) cannot go on: \(cause)" }
}
