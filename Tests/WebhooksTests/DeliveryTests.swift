internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Webhooks

/// Webhooks are called by a real receiver's answers, out of a real database.
@Suite struct DeliveryTests {
    @Test func `Each event comes once, in order, signed, as a CloudEvent`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url + "/all", ["tenant.*"])
        let ids = try stage.happen(150)
        try stage.happen(1, .invoiceCreated)
        try await stage.dispatching {
            try await eventually("all came") { receiver.calls.count >= 150 }
            try await eventually("all noted") { try stage.deliveries(webhook.id).allSatisfy { $0 == "succeeded 1 200" } }
        }
        let calls = receiver.calls
        #expect(calls.map(\.id) == ids)
        #expect(receiver.connections <= 3, "the connection is kept between attempts")
        let call = calls[0]
        #expect(call.headers["content-type"] == "application/cloudevents+json")
        #expect(call.json["id"] == .string(call.id) && call.json["specversion"] == "1.0")
        #expect(call.json["type"] == "tenantry.tenant.updated" && call.json["source"] == "/tenantry/accounts/acme")
        #expect(call.json["subject"] == "tenants/acme-a" && call.json["data"]?["event"] == "tenant.updated")
        let secret = WebhookSecret(bytes: Array(try #require(base64(String(webhook.secret.dropFirst(6))))))
        let seconds = try #require(call.headers["webhook-timestamp"].flatMap { Int64($0) })
        #expect(call.headers["webhook-signature"] == secret.signature(id: call.id, seconds: seconds, body: call.body))
    }

    @Test func `A tenant's webhook gets what is its own, an account's all of it, a stranger's nothing`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        _ = try stage.webhook(receiver.url + "/account")
        _ = try stage.webhook(receiver.url + "/a", tenant: "acme-a")
        _ = try stage.webhook(receiver.url + "/b", tenant: "acme-b")
        let stranger = Principal(key: "acc_other", role: .account, account: "other", tenant: nil, scopes: [])
        let url = JSONValue.string(receiver.url + "/other")
        #expect(try stage.ask("webhook.create", ["url": url, "events": ["#"]], by: stranger).status == .succeeded)
        let (a, b) = (try stage.happen(3, tenant: "acme-a"), try stage.happen(2, tenant: "acme-b"))
        try await stage.dispatching {
            try await eventually("all came") { receiver.calls.count >= 10 }
        }
        #expect(receiver.calls(at: "/account").map(\.id) == a + b)
        #expect(receiver.calls(at: "/a").map(\.id) == a)
        #expect(receiver.calls(at: "/b").map(\.id) == b)
        #expect(receiver.calls(at: "/other").isEmpty)
    }

    @Test func `What fails is tried again after five seconds, beside newer events, under the same id`() async throws {
        let stage = try await WebhookStage()
        let refusals = Mutex(1)
        let receiver = try WebhookReceiver { _ in
            refusals.withLock { left in
                left -= 1
                return left >= 0 ? .answer(500) : .answer(204)
            }
        }
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url + "/x")
        let first = try stage.happen()
        try await stage.dispatching {
            try await eventually("refused") { try stage.deliveries(webhook.id) == ["pending 1 500"] }
            let waits = try stage.query(
                "select (next_at - attempted_at >= interval '4.9 s' and next_at - attempted_at <= interval '6.5 s')::text "
                    + "from tenantry.webhook_deliveries")
            #expect(waits == [["true"]])
            let second = try stage.happen()
            try await eventually("the newer one came") { receiver.calls.map(\.id) == first + second }
            stage.advance(6)
            try await eventually("the older one came again") { receiver.calls.map(\.id) == first + second + first }
            try await eventually("noted") { try stage.deliveries(webhook.id) == ["succeeded 2 204", "succeeded 1 204"] }
        }
    }

    @Test
    func `Ten attempts over three days, by a clock of the test's own, and then it has failed; a success in between ends them`()
        async throws
    {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { $0.path == "/never" ? .answer(503) : .answer(200) }
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url + "/never")
        try stage.happen()
        try await stage.dispatching {
            for attempt in 1...9 {
                try await eventually("attempt \(attempt)") { try stage.deliveries(webhook.id) == ["pending \(attempt) 503"] }
                stage.advance(RetrySchedule.waits[attempt - 1] - 1)
                // Not before its time: what is due by now is only what was drawn shorter, which nothing is.
                #expect(try stage.query(Self.dueSQL(ahead: stage)) == [["false"]])
                stage.advance(1 + RetrySchedule.waits[attempt - 1] * RetrySchedule.jitter)
            }
            try await eventually("given up") { try stage.deliveries(webhook.id) == ["failed 10 503"] }
        }
        #expect(receiver.calls.count == 10 && Set(receiver.calls.map(\.id)).count == 1)
        let times = receiver.calls.compactMap { $0.headers["webhook-timestamp"].flatMap { Int($0) } }
        #expect(times.last! - times.first! > 3 * 86_400, "each has its attempt's time")
    }

    private static func dueSQL(ahead stage: WebhookStage) -> String {
        "select (min(next_at) <= now() + make_interval(secs => \(stage.seconds)))::text from tenantry.webhook_deliveries"
    }

    @Test
    func
        `One that answers 410 is disabled at once; the account's others and the exchange are told, and what happens waits as failed`()
        async throws
    {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { $0.path == "/gone" ? .answer(410) : .answer(200) }
        defer { receiver.stop() }
        let gone = try stage.webhook(receiver.url + "/gone")
        let other = try stage.webhook(receiver.url + "/other", ["webhook.*"])
        try stage.happen(3)
        try await stage.dispatching {
            try await eventually("told") { !receiver.calls(at: "/other").isEmpty }
        }
        #expect(receiver.calls(at: "/gone").count == 1)
        #expect(try stage.deliveries(gone.id) == ["failed 1 410", "failed 0 -", "failed 0 -"])
        let told = receiver.calls(at: "/other")
        #expect(told.count == 1 && told[0].json["type"] == "tenantry.webhook.disabled")
        #expect(told[0].json["data"]?["webhook"] == .string(gone.id) && told[0].json["data"]?["reason"] == "it answered 410 Gone")
        #expect(
            try stage.query("select routing_key from tenantry.outbox where routing_key like 'webhook.%'") == [
                ["webhook.disabled.acme"]
            ])
        let row = try stage.query("select state, reason from tenantry.webhooks where id = '\(gone.id)'")
        #expect(row == [["disabled", "it answered 410 Gone"]])
        try stage.happen()
        #expect(try stage.deliveries(gone.id).last == "failed 0 -")
        #expect(try stage.deliveries(other.id) == ["succeeded 1 200"])
    }

    @Test func `One that fails for a week is disabled; enabled again, it is sent what has failed since a time, in order`()
        async throws
    {
        let stage = try await WebhookStage()
        let isUp = Mutex(false)
        let receiver = try WebhookReceiver { _ in isUp.withLock { $0 } ? .answer(200) : .hangUp }
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url + "/down")
        var ids = try stage.happen(2)
        try await stage.dispatching {
            try await eventually("failing") { try stage.deliveries(webhook.id) == ["pending 1 -", "pending 1 -"] }
            stage.advance(6 * 86_400)
            try await eventually("tried") { try stage.deliveries(webhook.id).allSatisfy { $0 != "pending 1 -" } }
            #expect(try stage.query("select state from tenantry.webhooks") == [["enabled"]])
            stage.advance(2 * 86_400)
            try await eventually("disabled") { try stage.query("select state from tenantry.webhooks") == [["disabled"]] }
            ids += try stage.happen()
            #expect(try stage.deliveries(webhook.id).allSatisfy { $0.hasPrefix("failed") })
            #expect(try stage.ask("webhook.recover", Self.recovery(of: webhook.id)).error?.code == .conflict)
            isUp.withLock { $0 = true }
            let before = receiver.calls.count
            let enabled = try stage.ask("webhook.update", ["webhook": .string(webhook.id), "state": "enabled"])
            #expect(enabled.result?["state"] == "enabled")
            let recovered = try stage.ask("webhook.recover", Self.recovery(of: webhook.id))
            #expect(recovered.result?["recovered"] == .int(3) && recovered.result?["more"] == .bool(false))
            try await eventually("sent") { try stage.deliveries(webhook.id).allSatisfy { $0 == "succeeded 1 200" } }
            #expect(receiver.calls.dropFirst(before).map(\.id) == ids)
        }
    }

    private static func recovery(of webhook: String) -> JSONValue {
        ["webhook": .string(webhook), "since": "2026-01-01T00:00:00Z"]
    }

    @Test func `A redirect is not followed, an endless body not read, a slow answer not waited for`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { call in
            switch call.path {
            case "/moved": .answer(302, ["Location": "/target"])
            case "/flood": .flood(100 << 20)
            case "/silent": .silence
            case "/late": .late(0.3)
            default: .answer(200)
            }
        }
        defer { receiver.stop() }
        let webhooks = try ["/moved", "/flood", "/silent", "/late"].map { try stage.webhook(receiver.url + $0).id }
        try stage.happen()
        try await stage.dispatching(stage.options(attemptSeconds: 2)) {
            try await eventually("all tried") {
                try stage.query("select count(*)::text from tenantry.webhook_deliveries where attempt = 0") == [["0"]]
            }
        }
        #expect(try stage.deliveries(webhooks[0]) == ["pending 1 302"])
        #expect(receiver.calls(at: "/target").isEmpty)
        #expect(try stage.deliveries(webhooks[1]) == ["succeeded 1 200"])
        #expect(receiver.floodedBytes < 16 << 20, "what is not read is not taken, but for what the system's buffers hold")
        #expect(try stage.deliveries(webhooks[2]) == ["pending 1 -"])
        let error = try stage.query("select error from tenantry.webhook_deliveries where webhook = '\(webhooks[2])'")
        #expect(error == [["no answer within 2 s"]])
        #expect(try stage.deliveries(webhooks[3]) == ["succeeded 1 200"])
    }

    @Test func `A receiver's Retry-After is honoured`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { _ in .answer(429, ["Retry-After": "3600"]) }
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url)
        try stage.happen()
        try await stage.dispatching {
            try await eventually("refused") { try stage.deliveries(webhook.id) == ["pending 1 429"] }
        }
        let wait = try stage.query(
            "select (next_at - attempted_at >= interval '3599 s' and next_at - attempted_at < interval '3700 s')::text from tenantry.webhook_deliveries"
        )
        #expect(wait == [["true"]])
    }

    @Test func `A dead endpoint and a slow one are in nobody's way`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { $0.path == "/silent" ? .silence : .answer(200) }
        let dead = try WebhookReceiver()
        dead.stop()
        defer { receiver.stop() }
        _ = try stage.webhook(receiver.url + "/silent")
        _ = try stage.webhook(dead.url + "/dead")
        let good = try (0..<8).map { try stage.webhook(receiver.url + "/good\($0)").id }
        try stage.happen(100)
        try await stage.dispatching {
            try await eventually("all of the others came") {
                try good.allSatisfy { try stage.deliveries($0).allSatisfy { $0 == "succeeded 1 200" } }
            }
            #expect(receiver.calls(at: "/silent").count == 1, "its first attempt is still under way")
        }
    }

    @Test func `For a day after a rotation both secrets sign, and then the new one alone`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url)
        let rotated = try stage.ask("webhook.rotate", ["webhook": .string(webhook.id)])
        guard case .string(let text)? = rotated.result?["secret"] else { throw TestFailure("\(rotated)") }
        try stage.happen()
        let secrets = try [text, webhook.secret].map { WebhookSecret(bytes: try #require(base64(String($0.dropFirst(6))))) }
        try await stage.dispatching {
            try await eventually("came") { receiver.calls.count == 1 }
            stage.advance(86_400)
            try stage.happen()
            try await eventually("came") { receiver.calls.count == 2 }
        }
        for (call, signing) in zip(receiver.calls, [secrets, [secrets[0]]]) {
            let seconds = try #require(call.headers["webhook-timestamp"].flatMap { Int64($0) })
            let expected = signing.map { $0.signature(id: call.id, seconds: seconds, body: call.body) }.joined(separator: " ")
            #expect(call.headers["webhook-signature"] == expected)
        }
    }

    @Test func `A name that turns to this machine is not called, and is looked up for each attempt once`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        // Whoever asks first is told of a public address, whoever asks again of this machine.
        let asked = Mutex(0)
        let turning = AddressResolver { _ in
            let count = asked.withLock { number in
                number += 1
                return number
            }
            return [NetworkAddress(literal: count == 1 ? "192.0.3.1" : "127.0.0.1")!]
        }
        try stage.query(
            """
            insert into tenantry.webhooks (id, account, url, events, expression)
            values ('wh_turning', 'acme', 'https://turning.example:\(receiver.port)/', '{#}', '.') returning id
            """)
        try stage.happen()
        try await stage.dispatching(stage.options(allowsLoopback: false, attemptSeconds: 0.5), resolver: turning) {
            try await eventually("tried") { try stage.deliveries("wh_turning") == ["pending 1 -"] }
            #expect(asked.withLock { $0 } == 1)
            stage.advance(6)
            try await eventually("tried again") { try stage.deliveries("wh_turning") == ["pending 2 -"] }
        }
        #expect(asked.withLock { $0 } == 2)
        #expect(receiver.connections == 0)
        let error = try stage.query("select error from tenantry.webhook_deliveries")
        #expect(error == [["turning.example has no address that may be called"]])
    }

    @Test func `What is connected to is the very address that was looked up, in whatever letters the name is written`()
        async throws
    {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        // Nobody else knows this name: whoever looked it up once more would find nothing.
        let resolver = AddressResolver { host in host == "hooks.example.invalid" ? [NetworkAddress(literal: "127.0.0.1")!] : [] }
        try stage.query(
            """
            insert into tenantry.webhooks (id, account, url, events, expression)
            values ('wh_letters', 'acme', 'HTTP://Hooks.Example.INVALID:\(receiver.port)/Path?Query', '{#}', '.'),
                   ('wh_unknown', 'acme', 'http://other.example.invalid:\(receiver.port)/', '{#}', '.') returning id
            """)
        try stage.happen()
        try await stage.dispatching(resolver: resolver) {
            try await eventually("called") { try stage.deliveries("wh_letters") == ["succeeded 1 200"] }
            try await eventually("tried") { try stage.deliveries("wh_unknown") == ["pending 1 -"] }
        }
        #expect(receiver.calls.map(\.path) == ["/Path?Query"])
        #expect(receiver.calls[0].headers["host"]?.hasPrefix("hooks.example.invalid") == true)
        let error = try stage.query("select error from tenantry.webhook_deliveries where webhook = 'wh_unknown'")
        #expect(error == [["other.example.invalid has no address that may be called"]])
    }

    @Test func `Two workers share the lines, and each event comes once`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let webhooks = try (0..<10).map { try stage.webhook(receiver.url + "/\($0)").id }
        let ids = try stage.happen(60)
        try await stage.dispatching {
            try await stage.dispatching {
                try await eventually("all came") { receiver.calls.count >= 600 }
            }
        }
        for index in webhooks.indices { #expect(receiver.calls(at: "/\(index)").map(\.id) == ids) }
    }

    @Test func `Where more lines wait than are served at once, each has its turn`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver { $0.path == "/slow" ? .late(1) : .answer(200) }
        defer { receiver.stop() }
        _ = try stage.webhook(receiver.url + "/slow")
        try stage.happen(60)
        let good = try stage.webhook(receiver.url + "/good").id
        let ids = try stage.happen(2)
        try await stage.dispatching(stage.options(parallel: 1)) {
            try await eventually("the other came") { try stage.deliveries(good).allSatisfy { $0 == "succeeded 1 200" } }
        }
        #expect(receiver.calls(at: "/good").map(\.id) == ids)
        #expect(receiver.calls(at: "/slow").count < 60)
    }

    @Test func `What a worker that died had in its hands goes on elsewhere, under the same ids`() async throws {
        let stage = try await WebhookStage()
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let webhook = try stage.webhook(receiver.url)
        let ids = try stage.happen(3)
        // It had taken the line, and sent something that it did not note.
        let dead = DeliveryStore(
            holder: "dead", connection: QueuedConnection(ConnectionOptions(url: stage.database.workerURL), name: "dead"),
            ahead: { 0 })
        #expect(try await dead.claim(most: 10) == [DeliveryLine(webhook: webhook.id, isRetry: false)])
        #expect(try await dead.next(in: DeliveryLine(webhook: webhook.id, isRetry: false))?.due.count == 3)
        try await stage.dispatching {
            try await Task.sleep(for: .seconds(1))
            #expect(receiver.calls.isEmpty, "it is in the other's hands")
            try stage.query("update tenantry.webhook_lines set until = now() returning webhook")
            try await eventually("all came") { try stage.deliveries(webhook.id).allSatisfy { $0 == "succeeded 1 200" } }
        }
        #expect(receiver.calls.map(\.id) == ids)
        // It wakes up, and finds that nothing is its own any more.
        let line = DeliveryLine(webhook: webhook.id, isRetry: false)
        #expect(try await dead.next(in: line) == nil)
        let late = AttemptResult(
            delivery: 1, attempt: 1, at: .now(), durationMilliseconds: 1, status: 500, error: "late", wait: 5)
        #expect(try await dead.record([late], of: line) == .lost)
        #expect(try stage.deliveries(webhook.id).allSatisfy { $0 == "succeeded 1 200" })
    }
}

/// Bytes out of base64.
func base64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
