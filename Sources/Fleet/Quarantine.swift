/// How deliveries that came back from the death of a worker are tried again, without harm to their neighbours.
///
/// The broker's own count of returns proves nothing: a worker that dies returns all that it had prefetched, and what goes from its first
/// connection that closes to its next one is returned twice by one death. So each beginning of a delivery that came back is noted before
/// it is touched (``Notes``), and the note goes when it is through. Beginnings without an end narrow the batch. After a few of them the job
/// is tried as the only one in hand in the whole process (``Gate``): if the worker dies then, no other job can have been the cause, and none
/// is suspected.
enum Quarantine {
    /// Beginnings without an end before a job is tried alone.
    static let alone: Int64 = 3
    /// A job whose worker died more often than this is dead-lettered as `crash_loop`. The first death is not among the noted ones: the job
    /// had not come back then.
    static let mostDeaths: Int64 = 5

    /// The largest batch for a job that was begun so often and not finished; `limit` for one that never was.
    static func batchLimit(begun: Int64, limit: Int) -> Int {
        switch begun {
        case ...0: limit
        case 1: min(limit, 500)
        case 2: min(limit, 50)
        default: 1
        }
    }

    static func isAlone(begun: Int64) -> Bool { begun >= alone }

    /// Whether a job, begun so often and never finished, is given up.
    static func isCrashLoop(begun: Int64) -> Bool { begun >= mostDeaths }

    /// Whether a job that is given up may be looked at once more, to see who is to be told.
    static func mayLook(begun: Int64) -> Bool { begun == mostDeaths }
}
