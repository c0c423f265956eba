internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Webhooks

@Suite struct UpkeepTests {
    @Test func `Events go with their deliveries when they are old, and those of a purged tenant when all was sent`() async throws
    {
        let stage = try await WebhookStage()
        _ = try stage.webhook("http://127.0.0.1:9/")
        let (a, b) = (try stage.happen(3, tenant: "acme-a"), try stage.happen(2, tenant: "acme-b"))
        try stage.query(
            "update tenantry.webhook_events set created_at = now() - interval '31 days' where id = '\(a[0])' returning 1::text")
        try stage.query(
            """
            with sent as (
                update tenantry.webhook_deliveries set state = 'succeeded', attempt = 1 where event = '\(b[0])'
            ), before as (
                update tenantry.webhook_events set created_at = now() - interval '1 hour' where tenant = 'acme-b'
            )
            insert into tenantry.purges (tenant, account, schema_name, row_counts, schema_is_gone)
            values ('acme-b', 'acme', 'tenant_acme_b', '{}', true) returning tenant
            """)
        var connection = try Connection(ConnectionOptions(url: stage.database.workerURL))
        _ = try WebhookUpkeep.duty(retentionDays: 30).perform(&connection)
        let left = try stage.query("select id::text from tenantry.webhook_events").map { $0[0] }
        #expect(Set(left) == [a[1], a[2], b[1]])
        #expect(try stage.query("select count(*)::text from tenantry.webhook_deliveries") == [["3"]])
        try stage.query("update tenantry.webhook_deliveries set state = 'failed' where event = '\(b[1])' returning 1::text")
        _ = try WebhookUpkeep.duty(retentionDays: 30).perform(&connection)
        #expect(Set(try stage.query("select id::text from tenantry.webhook_events").map { $0[0] }) == [a[1], a[2]])
    }

    @Test func `The log is read by pages, newest first, and by state`() async throws {
        let stage = try await WebhookStage()
        let webhook = try stage.webhook("http://127.0.0.1:9/").id
        let ids = try stage.happen(5)
        var connection = try Connection(ConnectionOptions(url: stage.database.readerURL))
        let first = try DeliveryRecord.page(of: webhook, after: nil, limit: 3, on: &connection)
        let second = try DeliveryRecord.page(of: webhook, after: first.last?.position, limit: 3, on: &connection)
        #expect((first + second).map(\.event) == ids.reversed())
        #expect(try DeliveryRecord.page(of: webhook, state: "failed", after: nil, limit: 3, on: &connection).isEmpty)
        #expect(try DeliveryRecord.page(of: webhook, after: ["nonsense"], limit: 9, on: &connection).count == 5)
        let details = try #require(try DeliveryDetails.find(first[0].id, of: webhook, on: &connection))
        #expect(details.request["headers"]?["webhook-id"] == .string(ids[4]))
        #expect(details.request["headers"]?["webhook-signature"] == nil)
        #expect(details.request["body"]?["data"]?["tenant"] == "acme-a")
        for wrong in ["0", "01", "x", ""] {
            #expect(try DeliveryDetails.find(wrong, of: webhook, on: &connection) == nil)
        }
    }
}
