/// How deliveries that came back from the death of a worker are tried again, without harm to their neighbours.
///
/// The broker counts every return of a delivery, guilty or not: a worker that dies returns all it had prefetched. So a count alone proves
/// nothing. It narrows the batch instead, until a job that has come back several times is alone in its worker's hands, and from then on each
/// beginning is noted before the job is touched. A job that was begun alone and never finished is the one that kills.
enum Isolation {
    /// Deaths before a job is tried alone.
    static let alone: Int64 = 3
    /// A job whose worker died more often than this is dead-lettered as `crash_loop`…
    static let mostDeaths: Int64 = 5
    /// …provided so many of these deaths came while it was alone in hand.
    static let provenDeaths: Int64 = mostDeaths - alone + 1

    /// The largest batch for a delivery that has come back `deliveryCount` times; `limit` for one that has not.
    static func batchLimit(deliveryCount: Int64, limit: Int) -> Int {
        switch deliveryCount {
        case ...0: limit
        case 1: min(limit, 500)
        case 2: min(limit, 50)
        default: 1
        }
    }

    static func isSuspect(deliveryCount: Int64) -> Bool {
        deliveryCount >= alone
    }

    /// Whether a suspect, begun alone `begun` times before and never finished, is given up.
    static func isCrashLoop(deliveryCount: Int64, begun: Int64) -> Bool {
        deliveryCount > mostDeaths && begun >= provenDeaths
    }
}
