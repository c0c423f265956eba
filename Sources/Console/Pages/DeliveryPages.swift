internal import API
internal import Contract
internal import HTML
internal import HTTPTypes

/// What was sent to a webhook.
enum DeliveryPages {
    static let all: [PageRoute] = ["", "/tenants/{slug}"].map { base in
        PageRoute(
            "\(base)/webhooks/{id}/deliveries/{delivery}", sources: { [.init("delivery", target($0))] }, one
        ) { call in
            let body: JSONValue = ["delivery": .string(call.name("delivery"))]
            return try await call.send(.post, PageCall.target(WebhookPages.parts(call, call.name("id"), "resend")), body)
                .next(WebhookPages.own(call), .resent)
        }
    }

    private static func target(_ call: PageCall) -> String {
        PageCall.target(WebhookPages.parts(call, call.name("id"), "deliveries", call.name("delivery")))
    }

    static func list(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        let clock = call.visitor.clock
        return DataTable(
            caption: "Deliveries",
            columns: [
                .init("When", key: "at") { row in
                    a(.href("\(WebhookPages.own(call))/deliveries/\(RequestTarget.encode(row.text("id") ?? ""))")) {
                        if row.text("at") == nil { "not yet" } else { clock.html(row.text("at")) }
                    }
                },
                .init("Event", key: "type") { Format.written($0.text("type") ?? "") },
                .init("State", key: "state") { Parts.badge($0.text("state") ?? "") },
                .init("Attempt", key: "attempt", isNumber: true) { HTML(text: Format.number($0.int("attempt") ?? 0)) },
                .init("Status", key: "status", isNumber: true) { row in HTML(text: row.int("status").map { "\($0)" } ?? "–") },
                .init("Took", key: "duration_ms", isNumber: true) { row in
                    HTML(text: row.int("duration_ms").map { "\(Format.number($0)) ms" } ?? "–")
                },
                .init("Next attempt", key: "next_at") { row in clock.html(row.text("next_at")) },
                .init("Why") { Format.written($0.text("error") ?? "") },
            ], list: list, empty: Parts.empty("Nothing was sent yet.", "Send a test event to see how it goes.")
        ).html(call)
    }

    private static func one(_ call: PageCall) async throws -> Page {
        let delivery = try await call.get(target(call))
        let clock = call.visitor.clock
        return Page(
            title: "Delivery of \(delivery.text("type") ?? "")", place: WebhookPages.place(call),
            crumbs: WebhookPages.crumbs(call) + [("Webhook", WebhookPages.own(call))],
            blocks: [
                .fixed {
                    Parts.panel("How it went") {
                        Parts.facts([
                            ("State", Parts.badge(delivery.text("state") ?? "")),
                            ("Event", HTML { code { delivery.text("event") ?? "" } }),
                            ("Attempts", HTML(text: Format.number(delivery.int("attempt") ?? 0))),
                            ("Status", HTML(text: delivery.int("status").map { "\($0)" } ?? "–")),
                            ("Last attempt", clock.html(delivery.text("at"))),
                            ("Next attempt", clock.html(delivery.text("next_at"))),
                            ("Why", Format.written(delivery.text("error") ?? "–")),
                        ])
                        if call.visitor.may(.webhookResend) {
                            form(.method("post"), .action(call.path)) {
                                if let failure = call.failure { FormBox.alert(failure) }
                                button(.type("submit"), .class("button button-primary")) { "Send it once more" }
                            }
                            Parts.command(
                                Command.line(["tenantry", "webhook", "resend", call.name("id"), call.name("delivery")]))
                        }
                    }
                    if let request = delivery["request"], request != .null {
                        Parts.panel("What is sent") { Parts.source(request.indented, "The request") }
                    }
                }
            ])
    }
}
