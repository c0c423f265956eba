internal import Dispatch

/// Runs what starts and ends a worker on a thread of its own: tests that wait with blocking calls may have taken all others.
final class WorkerExecutor: TaskExecutor {
    static let shared = WorkerExecutor()

    private let queue = DispatchQueue(label: "tenantry test workers")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
