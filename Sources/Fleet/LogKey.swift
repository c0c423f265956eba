/// The metadata keys of the fleet's logs. No secret and no payload is ever a value.
enum LogKey {
    static let lane = "lane"
    static let worker = "worker.id"
    static let jobID = "job.id"
    static let jobKind = "job.kind"
    static let duty = "duty"
    static let error = "error"
    static let count = "count"
    static let tenant = "tenant"
}
