internal import FoundationEssentials
import Testing

@testable internal import Contract

@Suite struct WireTests {
    @Test func `Kinds are found by their name alone`() {
        #expect(Set(Kind.all).count == Kind.all.count)
        for kind in Kind.all { #expect(Kind.named(kind.name) == kind) }
        for name in ["", "conversation.lo", "conversation.logs", "Tenant.create", "tenant.create_", "billing.open", "tenant"] {
            #expect(Kind.named(name) == nil)
        }
        #expect(Kind.corpusIngest.bodyLimitBytes == 16 * 1024 * 1024 && Kind.conversationLog.bodyLimitBytes == 1024 * 1024)
        for kind in Kind.all {
            let verb = kind.name.prefix { $0 != "." }
            // Webhooks came later.
            #expect(kind.family.formerBindingKeys.contains("\(verb).#") != (verb == "webhook"))
            #expect(kind.family.bindingKeys.contains(kind.name) != kind.isControl)
            #expect(kind.queue == (kind.isControl ? "tenantry.control" : "tenantry.\(kind.family.rawValue)"))
        }
    }

    @Test func `A fleet queue is known by its prefix`() {
        #expect(Topology.isFleetQueue("tenantry.dead") && Topology.isFleetQueue("tenantry.conversation.3"))
        #expect(
            !Topology.isFleetQueue("tenantry") && !Topology.isFleetQueue("amq.gen-1")
                && !Topology.isFleetQueue("my.tenantry.dead"))
        #expect(EventKey.job(.rejected, .tenantCreate) == "job.rejected.tenant.create")
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-23T01:00:00.123456789+01:00", 1_795_392_000_123_456),
            ("1969-12-31T23:59:59.999Z", -1_000),
            ("2024-02-29T00:00:00z", 1_709_164_800_000_000), ("1998-12-31T23:59:60Z", 915_148_800_000_000),
            ("1998-12-31T15:59:60.5-08:00", 915_148_800_500_000), ("2026-11-23t00:00:00-00:00", 1_795_392_000_000_000),
            ("2026-11-23 00:00:00Z", nil), ("2026-11-23T00:00:00", nil), ("2026-11-23T00:00:00.Z", nil),
            ("2026-02-29T00:00:00Z", nil),
            ("2026-11-23T24:00:00Z", nil), ("2026-11-23T00:60:00Z", nil), ("2026-11-23T00:00:61Z", nil),
            ("2026-11-23T12:00:60Z", nil),
            ("2026-11-23T00:00:00+24:00", nil), ("2026-11-23T00:00:00+0100", nil), ("2026-11-23T00:00:00Zx", nil),
            ("2026-13-01T00:00:00Z", nil),
            ("2026-11-00T00:00:00Z", nil), ("+026-11-23T00:00:00Z", nil), ("2026-11-23T00:00:00.123", nil), ("", nil),
        ] as [(String, Int64?)])
    func `A date-time of RFC 3339 is read`(text: String, expected: Int64?) {
        #expect(RFC3339.microseconds(text) == expected)
    }

    @Test func `A date-time is written as it is read`() {
        #expect(RFC3339.text(0) == "1970-01-01T00:00:00.000Z")
        #expect(RFC3339.text(-1) == "1969-12-31T23:59:59.999999Z")
        for day in stride(from: Int64(-719_162), to: 2_932_896, by: 3_331) {
            let microseconds = day * 86_400_000_000 + 45_296_007_000
            #expect(RFC3339.microseconds(RFC3339.text(microseconds)) == microseconds)
        }
    }

    @Test func `Every answer has all its keys`() {
        let done = Answer(jobID: "j\"1", kind: "tenant.create", result: ["tenant": "shop", "n": 1.5], duplicate: true)
        #expect(
            String(decoding: done.encoded(), as: UTF8.self)
                == #"{"job_id":"j\"1","kind":"tenant.create","status":"succeeded","duplicate":true,"result":{"n":1.5,"tenant":"shop"},"error":null}"#
        )
        let refused = Answer(jobID: "j", kind: "x", error: .invalid("/a", "no"))
        #expect(
            String(decoding: refused.encoded(), as: UTF8.self)
                == #"{"job_id":"j","kind":"x","status":"rejected","duplicate":false,"result":null,"error":{"code":"invalid_payload","field":"/a","message":"no"}}"#
        )
        #expect(done.status.messageType == "job.succeeded")
        let limit = ReachedLimit(metric: .messages, limit: 5, value: 4, resetsAt: Instant("2026-12-01T00:00:00Z"))
        #expect(
            String(decoding: Answer(jobID: "j", kind: "x", error: Rejection(limit, "no")).encoded(), as: UTF8.self).hasSuffix(
                #""error":{"code":"limit_reached","field":null,"limit":5,"message":"no","metric":"messages","mode":"hard","resets_at":"2026-12-01T00:00:00.000Z","value":4}}"#
            ))
    }

    @Test func `An answer is read as it was written`() throws {
        for answer in [
            Answer(jobID: "j", kind: "k", error: Rejection(.bound(64, value: 63), "m", field: "/settings")),
            Answer(
                jobID: "j", kind: "k",
                error: Rejection(
                    ReachedLimit(metric: .tokens, limit: 0, value: 0, resetsAt: Instant("2026-12-01T00:00:00Z")), "m")),
            Answer(jobID: "j", kind: "k", result: [:]), Answer(jobID: "j", kind: "k", error: Rejection(.conflict, "m")),
            Answer(jobID: "a\"\n\u{1}é", kind: "conversation.log", result: ["accepted": 3, "duplicates": 1], duplicate: true),
        ] {
            #expect(try Answer(parsing: answer.encoded()) == answer)
        }
    }

    @Test(arguments: ["", "[]", "{}", #"{"job_id":1}"#, #"{"job_id":"j","kind":"k","status":"lost","duplicate":false}"#])
    func `What is no answer is not read as one`(body: String) {
        #expect(throws: Rejection.self) { try Answer(parsing: Array(body.utf8)) }
        #expect(throws: Rejection.self) { try AlertEvent(parsing: Array(body.utf8)) }
    }

    @Test func `An alert is a CloudEvent with every key`() throws {
        var event = AlertEvent(
            id: "e-1", state: .breached, time: Instant(microsecondsSince1970: present),
            data: AlertEvent.Data(
                account: "acme", tenant: "acme-shop", metric: .messages, mode: .soft, limit: 10_000, value: 10_000,
                previousValue: 9_800,
                thresholdPercent: 100, plan: "pro", periodStart: Instant("2026-11-01T00:00:00Z"),
                periodEnd: Instant("2026-12-01T00:00:00Z"), topTenants: [.init(tenant: "acme-shop", value: 6_000)]))
        #expect(event.routingKey == "limit.breached.messages.acme.acme-shop")
        let value = try JSONValue(parsing: event.encoded())
        #expect(
            value["specversion"] == "1.0" && value["type"] == "tenantry.limit.breached" && value["subject"] == "tenants/acme-shop"
        )
        #expect(value["source"] == "/tenantry/accounts/acme" && value["data"]?["scope"] == "tenant")
        #expect(value["time"] == "2026-11-23T00:00:00.000Z" && value["datacontenttype"] == "application/json")
        #expect(try AlertEvent(parsing: event.encoded()) == event)
        event.data.tenant = nil
        let pool = try JSONValue(parsing: event.encoded())
        #expect(pool["data"]?["tenant"] == .null && pool["data"]?["scope"] == "pool" && pool["subject"] == "accounts/acme")
        #expect(event.routingKey == "limit.breached.messages.acme._pool")
    }

    @Test func `A merge patch does what RFC 7396 shows`() {
        let cases: [(JSONValue, JSONValue, JSONValue)] = [
            (["a": "b"], ["a": "c"], ["a": "c"]), (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]), (["a": "b"], ["a": .null], [:]),
            (["a": ["b"]], ["a": "c"], ["a": "c"]), (["a": ["b": "c"]], ["a": ["b": "d", "c": .null]], ["a": ["b": "d"]]),
            (["a", "b"], ["c", "d"], ["c", "d"]), (["e": .null], ["a": 1], ["e": .null, "a": 1]),
            ([1, 2], ["a": "b", "c": .null], ["a": "b"]),
            ([:], ["a": ["bb": ["ccc": .null]]], ["a": ["bb": [:]]]), (["a": "foo"], .null, .null),
        ]
        for (original, patch, result) in cases { #expect(original.mergePatch(patch) == result) }
    }

    @Test func `A slice gives the same text, hash and equality however it is escaped`() {
        let body = Array(#"{"a":"x\u00e9\ud83d\ude00\/\n","b":"xé😀/\n"}"#.utf8)
        body.withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            cursor.position = 5
            let escaped = cursor.text()
            cursor.position += 5
            let plain = cursor.text()
            #expect(escaped?.string(in: bytes) == "xé😀/\n" && plain?.string(in: bytes) == "xé😀/\n")
            if let escaped, let plain {
                #expect(escaped.hash(in: bytes) == plain.hash(in: bytes))
                #expect(escaped.equals(plain, in: bytes, otherBody: bytes))
            }
        }
    }
}
