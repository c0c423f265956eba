internal import Contract
internal import HTML

/// What was used, in meters and bars.
enum UsageTable {
    private static let names = [
        "messages": "messages", "active_users": "active visitors", "tokens": "tokens", "documents": "documents",
        "corpus_bytes": "bytes of corpus", "conversations": "conversations", "child_tenants": "chatbots",
        "storage_bytes": "bytes stored",
    ]

    /// A metric as people call it.
    static func name(_ metric: String?) -> String {
        guard let metric else { return "" }
        return names[metric] ?? metric.replacing("_", with: " ")
    }

    static func meters(_ metrics: [JSONValue], _ call: PageCall) -> HTML {
        guard !metrics.isEmpty else { return p { "Nothing was used yet." } }
        return ul(.class("meters")) {
            for metric in metrics {
                li {
                    span(.class("meter-name")) { name(metric.text("metric")) }
                    Parts.meter(metric.int("value") ?? 0, of: metric.int("limit"), name(metric.text("metric")))
                    small { outlook(metric, call) }
                }
            }
        }
    }

    private static func outlook(_ metric: JSONValue, _ call: PageCall) -> HTML {
        HTML {
            if let share = metric.real("share") { "\(Format.percent(share)) of the pool. " }
            if let projection = metric.int("projection"), let value = metric.int("value"), projection != value {
                "About \(Format.number(projection)) by the period's end. "
            }
            if let reached = metric.text("reached_at"), let limit = metric.int("limit"), let value = metric.int("value"),
                value < limit
            {
                "The limit is reached about "
                call.visitor.clock.html(reached)
                ". "
            }
            if metric.text("mode") == "hard" { "At the limit it is refused." }
        }
    }

    /// One metric over time.
    static func history(_ usage: JSONValue, metric: String, by bucket: String, _ call: PageCall) -> HTML {
        let clock = call.visitor.clock
        let values = usage.items("history").filter { $0.text("metric") == metric }.map { entry in
            let start = entry.text("start") ?? ""
            let label =
                bucket == "hour"
                ? "\(clock.shortDay(start)) \(clock.hour(start))" : bucket == "month" ? clock.day(start) : clock.shortDay(start)
            return (name: label, value: entry.int("value") ?? 0)
        }
        return Plots.bars(values, name(metric).prefix(1).uppercased() + name(metric).dropFirst())
    }
}
