internal import Contract
internal import HTML

/// Queues and workers.
enum FleetPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/fleet", sources: { _ in [.init("workers", "/v1/workers"), .init("queues", "/v1/queues")] },
            { call in
                async let workersAnswer = call.list("/v1/workers").rows
                async let queuesAnswer = call.list("/v1/queues").rows
                let (workers, queues) = try await (workersAnswer, queuesAnswer)
                return Page(
                    title: "Queues and workers", place: "fleet",
                    blocks: [
                        .live("workers") { Parts.panel("Workers") { FleetPages.workers(workers, call) } },
                        .live("queues") { Parts.panel("Queues") { FleetPages.queues(queues, workers, call) } },
                        .fixed { Parts.command("tenantry status") },
                    ])
            })
    ]

    private static func workers(_ rows: [JSONValue], _ call: PageCall) -> HTML {
        DataTable(
            caption: "Workers",
            columns: [
                .init("Worker", key: "id") { row in
                    Format.written(row.text("id") ?? "")
                    if row.flag("leads") { Parts.badge("leader", .good) }
                },
                .init("Families", key: "families") { HTML(text: $0.texts("families").joined(separator: ", ")) },
                .init("Lanes", key: "lanes", isNumber: true) { HTML(text: Format.number($0.int("lanes") ?? 0)) },
                .init("Jobs/s", key: "jobs_per_second", isNumber: true) {
                    HTML(text: Format.real($0.real("jobs_per_second") ?? 0))
                },
                .init("In hand", key: "in_hand", isNumber: true) { HTML(text: Format.number($0.int("in_hand") ?? 0)) },
                .init("Oldest", key: "oldest_seconds", isNumber: true) {
                    HTML(text: Format.seconds($0.real("oldest_seconds") ?? 0))
                },
                .init("Done", key: "succeeded", isNumber: true) { HTML(text: Format.number($0.int("succeeded") ?? 0)) },
                .init("Refused", key: "rejected", isNumber: true) { HTML(text: Format.number($0.int("rejected") ?? 0)) },
                .init("Put off", key: "retried", isNumber: true) { HTML(text: Format.number($0.int("retried") ?? 0)) },
                .init("Problems") { row in
                    if row.texts("problems").isEmpty { Parts.badge("none", .good) }
                    for problem in row.texts("problems") { p { Format.written(problem) } }
                },
            ], list: PageCall.Listed(rows: rows, next: nil),
            empty: Parts.empty("No worker runs.", "Start one: jobs wait in their queues until then. Command: tenantry worker"),
            isPaged: false
        ).html(call)
    }

    private static func queues(_ rows: [JSONValue], _ workers: [JSONValue], _ call: PageCall) -> HTML {
        DataTable(
            caption: "Queues",
            columns: [
                .init("Queue", key: "name") { row in code { row.text("name") ?? "" } },
                .init("What for") { row in HTML(text: QueueName(row.text("name") ?? "").purpose) },
                .init("Ready", key: "messages", isNumber: true) { HTML(text: Format.number($0.int("messages") ?? 0)) },
                .init("Consumers", key: "consumers", isNumber: true) { HTML(text: Format.number($0.int("consumers") ?? 0)) },
            ], list: PageCall.Listed(rows: rows, next: nil),
            empty: Parts.empty("The broker has no queue of the fleet.", "A worker declares them when it starts."), isPaged: false
        ).html(call)
    }
}
