internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Webhooks

/// The kinds `webhook.*`, one job at a time.
@Suite struct WebhookJobTests {
    private static func make(_ stage: HandlerStage, by account: Principal, tenant: String? = nil) throws -> String {
        let made = try stage.ask(
            "webhook.create", #"{"url":"https://hooks.example.com/?key=hidden","events":["tenant.*"]}"#, tenant: tenant,
            by: account)
        guard case .string(let id)? = made.result?["webhook"] else { throw TestFailure("\(made)") }
        return id
    }

    private static func delivery(_ stage: HandlerStage, of webhook: String, by account: Principal) throws -> String {
        guard
            case .string(let id)? = try stage.ask("webhook.test", #"{"webhook":"\#(webhook)"}"#, by: account).result?["delivery"]
        else { throw TestFailure("no delivery") }
        return id
    }

    @Test func `A webhook's secret is shown once; neither it nor the URL is in the audit log, nor the secret in the inbox`()
        async throws
    {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            let body = ##"{"url":"https://hooks.example.com/?key=hidden","events":["#"],"description":"Operations"}"##
            let first = try stage.ask("webhook.create", body, by: acme, id: "once")
            let second = try stage.ask("webhook.create", body, by: acme, id: "once")
            guard case .string(let secret)? = first.result?["secret"] else { throw TestFailure("\(first)") }
            #expect(secret.hasPrefix("whsec_") && secret.utf8.count == 50)
            #expect(second.duplicate && second.result?["secret"] == nil && second.result?["webhook"] == first.result?["webhook"])
            #expect(try stage.number("select count(*) from tenantry.webhooks") == 1)
            for text in try stage.texts(
                "select details::text from tenantry.audit_log union all select result::text from tenantry.inbox")
            {
                #expect(!text.contains("hidden") && !text.contains(secret.dropFirst(6)))
            }
            #expect(
                try stage.texts(
                    "select details -> 'payload' ->> 'description' from tenantry.audit_log where kind = 'webhook.create'") == [
                        "Operations"
                    ])
        }
    }

    @Test func `An account has twenty at most, its tenants' among them`() async throws {
        try await HandlerStage.run { stage in
            let (acme, other) = (try stage.makeAccount("acme"), try stage.makeAccount("other"))
            try stage.makeTenant("shop", by: acme)
            for _ in 0..<19 { _ = try Self.make(stage, by: acme) }
            let last = try Self.make(stage, by: acme, tenant: "shop")
            let body = ##"{"url":"https://hooks.example.com/","events":["#"]}"##
            let error = try stage.ask("webhook.create", body, by: acme).error
            #expect(error?.code == .limitReached && error?.limit?.limit == 20 && error?.limit?.value == 20)
            #expect(try stage.ask("webhook.create", body, by: other).status == .succeeded)
            #expect(try stage.ask("webhook.remove", #"{"webhook":"\#(last)"}"#, by: acme).status == .succeeded)
            #expect(try stage.ask("webhook.create", body, by: acme).status == .succeeded)
        }
    }

    @Test(arguments: [
        "webhook.update", "webhook.remove", "webhook.rotate", "webhook.test", "webhook.resend", "webhook.recover",
    ])
    func `Another's webhook is as one that is not there, and so is one of another tenant where a tenant is named`(kind: String)
        async throws
    {
        try await HandlerStage.run { stage in
            let (acme, other) = (try stage.makeAccount("acme"), try stage.makeAccount("other"))
            for tenant in ["shop", "cafe"] { try stage.makeTenant(tenant, by: acme) }
            let own = try Self.make(stage, by: acme, tenant: "shop")
            let more = #","state":"enabled","delivery":"1","since":"2026-01-01T00:00:00Z"}"#
            for (id, tenant, asker) in [("wh_none", nil, acme), (own, nil, other), (own, "cafe", acme)]
                as [(String, String?, Principal)]
            {
                let error = try stage.ask(kind, #"{"webhook":"\#(id)""# + more, tenant: tenant, by: asker).error
                #expect(error?.code == .invalidPayload && error?.field == "/webhook", "\(id) \(tenant ?? "-"): \(error as Any)")
            }
        }
    }

    @Test func `An update changes what is named; what it is held against follows it`() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            let id = try Self.make(stage, by: acme)
            func webhook() throws -> WebhookSummary {
                try #require(try stage.withDatabase { try WebhookSummary.find(id, account: "acme", on: &$0) })
            }
            let before = try webhook()
            let changed = try stage.ask(
                "webhook.update", #"{"webhook":"\#(id)","events":["limit.#"],"description":"Limits"}"#, by: acme)
            #expect(changed.result == ["webhook": .string(id), "state": "enabled"])
            let after = try webhook()
            #expect(after.events == ["limit.#"] && after.description == "Limits" && after.url == before.url)
            #expect(after.etag != before.etag)
            #expect(
                try stage.texts("select expression from tenantry.webhooks") == [
                    EventPattern.expression([EventPattern("limit.#")!])
                ])
            let moved = try stage.ask("webhook.update", #"{"webhook":"\#(id)","url":"https://10.0.0.1/"}"#, by: acme)
            #expect(moved.error?.code == .invalidPayload && moved.error?.field == "/url")
            #expect(try stage.ask("webhook.update", #"{"webhook":"\#(id)","description":null}"#, by: acme).status == .succeeded)
            #expect(try webhook().description == nil)
        }
    }

    @Test func `One that is disabled takes nothing until it is enabled; what waited is failed`() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            let id = try Self.make(stage, by: acme)
            let delivery = try Self.delivery(stage, of: id, by: acme)
            #expect(
                try stage.ask("webhook.update", #"{"webhook":"\#(id)","state":"disabled"}"#, by: acme).result?["state"]
                    == "disabled")
            #expect(try stage.texts("select state from tenantry.webhook_deliveries") == ["failed"])
            try stage.makeTenant("shop", by: acme)
            #expect(try stage.texts("select state from tenantry.webhook_deliveries") == ["failed", "failed"])
            for (kind, more) in [("webhook.test", ""), ("webhook.resend", #","delivery":"\#(delivery)""#)] {
                #expect(try stage.ask(kind, #"{"webhook":"\#(id)"\#(more)}"#, by: acme).error?.code == .conflict)
            }
            #expect(try stage.ask("webhook.update", #"{"webhook":"\#(id)","state":"enabled"}"#, by: acme).status == .succeeded)
            #expect(try stage.texts("select coalesce(reason, '-') from tenantry.webhooks") == ["-"])
            let recover = #"{"webhook":"\#(id)","since":"2026-01-01T00:00:00Z"}"#
            #expect(try stage.ask("webhook.recover", recover, by: acme).result?["recovered"] == 2)
            #expect(try stage.ask("webhook.recover", recover, by: acme).result?["recovered"] == 0)
            let later = #"{"webhook":"\#(id)","since":"2999-01-01T00:00:00Z"}"#
            #expect(try stage.ask("webhook.recover", later, by: acme).result?["recovered"] == 0)
        }
    }

    @Test func `A delivery is resent by its id alone, and only to its own webhook`() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            let (id, other) = (try Self.make(stage, by: acme), try Self.make(stage, by: acme))
            let delivery = try Self.delivery(stage, of: id, by: acme)
            try stage.withDatabase {
                try $0.run(script: "update tenantry.webhook_deliveries set state = 'succeeded', attempt = 3, status = 200")
            }
            for wrong in ["0", "x", "-1", "99999999999999999999"] {
                let error = try stage.ask("webhook.resend", #"{"webhook":"\#(id)","delivery":"\#(wrong)"}"#, by: acme).error
                #expect(error?.code == .invalidPayload && error?.field == "/delivery", "\(wrong)")
            }
            let foreign = try stage.ask("webhook.resend", #"{"webhook":"\#(other)","delivery":"\#(delivery)"}"#, by: acme)
            #expect(foreign.error?.field == "/delivery")
            let again = try stage.ask("webhook.resend", #"{"webhook":"\#(id)","delivery":"\#(delivery)"}"#, by: acme)
            #expect(again.result == ["webhook": .string(id), "delivery": .string(delivery)])
            #expect(try stage.texts("select state || attempt from tenantry.webhook_deliveries") == ["pending0"])
        }
    }

    @Test func `A rotation leaves the secret before it for a day, and none before that`() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            let id = try Self.make(stage, by: acme)
            for _ in 0..<3 { #expect(try stage.ask("webhook.rotate", #"{"webhook":"\#(id)"}"#, by: acme).status == .succeeded) }
            let left = try stage.texts(
                "select coalesce((ends_at = now() + interval '1 day')::text, '-') from tenantry.webhook_secrets order by id")
            #expect(left == ["true", "-"])
        }
    }

    @Test func `A purge takes the tenant's webhooks and events, but for what is still to be sent to its account`() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            let account = try Self.make(stage, by: acme)
            let own = try Self.make(stage, by: acme, tenant: "shop")
            for name in ["a", "b"] {
                let body = #"{"display_name":"\#(name)"}"#
                #expect(try stage.ask("tenant.update", body, tenant: "shop", by: acme).status == .succeeded)
            }
            try stage.withDatabase {
                try $0.run(
                    script: """
                        update tenantry.webhook_deliveries set state = 'succeeded', attempt = 1
                        where webhook = '\(account)' and id = (select min(id) from tenantry.webhook_deliveries where webhook = '\(account)')
                        """)
            }
            #expect(try stage.number("select count(*) from tenantry.webhook_events") == 2)
            #expect(try stage.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", by: acme).status == .succeeded)
            #expect(try stage.texts("select id from tenantry.webhooks") == [account])
            #expect(try stage.number("select count(*) from tenantry.webhook_deliveries where webhook = '\(own)'") == 0)
            // The second update waits, and so does what tells of the purge.
            #expect(
                try stage.texts("select name from tenantry.webhook_events order by name") == ["tenant.purged", "tenant.updated"])
        }
    }
}
