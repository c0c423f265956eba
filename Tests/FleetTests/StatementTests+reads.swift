internal import Postgres

@testable internal import Accounts
@testable internal import Billing
@testable internal import Conversations
@testable internal import Corpus
@testable internal import Fleet
@testable internal import Jobs
@testable internal import Metering
@testable internal import People
@testable internal import Templates
@testable internal import Tenants
@testable internal import Usage
@testable internal import Webhooks

extension StatementTests {
    static let readsFile = #filePath

    /// What commands read.
    static let reads: [Statement] = [
        StripeGrant.SQL.owner, DeadLetterRecord.SQL.list, DeadLetterRecord.SQL.ids, DeadLetterRecord.SQL.count,
        AccountSummary.SQL.find, AccountSummary.SQL.page, AdministratorSummary.SQL.list, AdministratorSummary.SQL.page,
        AdministratorSummary.SQL.find, AlertRecord.SQL.list, AlertRecord.SQL.page, AuditRecord.SQL.page,
        RefusalRecord.SQL.list, AccessRecord.SQL.reading,
        InvoiceDetails.SQL.find,
        InvoiceDetails.SQL.lines, InvoiceDetails.SQL.page, InvoiceSummary.SQL.list,
        OperatorCredential.SQL.list, OutboxBacklog.SQL.read, Plan.SQL.list, PlanSummary.SQL.page,
        TemplateSummary.SQL.list, TemplateSummary.SQL.page, TemplateDetails.SQL.find, TemplateDetails.SQL.documents,
        TokenSummary.SQL.page, TokenSummary.SQL.find,
        TenantDetails.SQL.find, TenantSummary.SQL.find, TenantExport.SQL.universalTime, TenantExport.SQL.tenant,
        TenantSummary.SQL.list, TenantSummary.SQL.page, WorkerStatus.SQL.list, WebhookSummary.SQL.page, WebhookSummary.SQL.find,
        DeliveryRecord.SQL.page, DeliveryDetails.SQL.find, DeliveryDetails.SQL.event,
    ]

    /// What workers do about webhooks.
    static let webhooks: [Statement] = [
        WebhookRow.SQL.hold, WebhookSQL.holdAccount, WebhookSQL.count, WebhookSQL.create, WebhookSQL.addSecret, WebhookSQL.update,
        WebhookSQL.enable, WebhookSQL.remove, WebhookSQL.forgetSecrets, WebhookSQL.endSecret, WebhookSQL.writeTest,
        WebhookSQL.resend, WebhookSQL.recover, WebhookSQL.isMoreToRecover, Disabling.SQL.disable, Disabling.SQL.giveUp,
        Disabling.SQL.forgetOwn, DeliveryStore.SQL.claim, DeliveryStore.SQL.endpoint, DeliveryStore.SQL.renew,
        DeliveryStore.SQL.nextFirst,
        DeliveryStore.SQL.nextRetries, DeliveryStore.SQL.record, DeliveryStore.SQL.succeeded, DeliveryStore.SQL.failed,
        DeliveryStore.SQL.release, WebhookUpkeep.SQL.removeOld, WebhookUpkeep.SQL.removePurged, WebhookUpkeep.SQL.waiting,
        TenantPurge.SQL.removeWebhooks, TenantPurge.SQL.forgetEvents,
    ]

    /// What the HTTP API runs beside what commands read.
    static let api: [Statement] = [
        Directory.SQL.version, Directory.SQL.credentials, Directory.SQL.tenants, DeadLetterRecord.SQL.page, JobRecord.SQL.begin,
        JobRecord.SQL.find, SessionRecord.SQL.list,
        SignIn.SQL.candidates, SignIn.SQL.signIn, SignIn.SQL.end, SignInThrottle.SQL.wait, SignInThrottle.SQL.count,
        SignInThrottle.SQL.forget, ConsoleSession.SQL.open, ConsoleSession.SQL.find, ConsoleSession.SQL.proof, Refusal.SQL.count,
        CredentialUses.SQL.note, AccessRecord.SQL.request,
        DeadLetterRecord.SQL.forget, DeadLetterRecord.SQL.find, TenantUsage.SQL.page, ReachedSubject.SQL.list,
        FailingWebhook.SQL.list,
        TenantSummary.SQL.list, TenantSummary.SQL.countIdle, WorkerStatus.SQL.list, WorkerStatus.SQL.gone, OutboxBacklog.SQL.read,
        ReportSQL.period, ReportSQL.tenants, ReportSQL.buckets(.hour), ReportSQL.buckets(.day), ReportSQL.buckets(.month),
        SeriesSQL.pool, SeriesSQL.poolUsers, SeriesSQL.tenantMonths, SeriesSQL.poolMonths, SeriesSQL.tenantSums,
        SeriesSQL.poolSums,
        SeriesSQL.moved, TotalSQL.totals, TotalSQL.subject, TotalSQL.largest,
    ]

    /// What commands change, as the owner.
    static let changes: [Statement] = [
        StripeGrant.SQL.account, StripeGrant.SQL.grant, StripeGrant.SQL.withdraw,
        AccountSuspension.SQL.hold, AccountSuspension.SQL.set, TenantSuspension.SQL.hold, TenantPlan.SQL.hold, TenantPlan.SQL.set,
        TokenRevocation.SQL.revoke,
        SessionRecord.SQL.end, OperatorCredential.SQL.isValid, OperatorCredential.SQL.issue, OperatorCredential.SQL.revoke,
    ]

    static func tenantReads(_ schema: Identifier) -> [Statement] {
        [
            TenantDetails.SQL.settings(schema), TenantExport.SQL.size(schema), DocumentSummary.SQL.page(schema),
            DocumentDetails.SQL.find(schema), DocumentDetails.SQL.chunks(schema), ConversationReadSQL.page(schema),
            ConversationReadSQL.find(schema), ConversationReadSQL.messages(schema), SeriesSQL.hours(schema),
            SeriesSQL.days(schema),
            SeriesSQL.daysWithoutUsers(schema),
        ]
    }
}
