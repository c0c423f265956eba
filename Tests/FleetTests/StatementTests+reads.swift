internal import Postgres

@testable internal import Accounts
@testable internal import Billing
@testable internal import Fleet
@testable internal import Jobs
@testable internal import Metering
@testable internal import People
@testable internal import Templates
@testable internal import Tenants

extension StatementTests {
    static let readsFile = #filePath

    /// What commands read.
    static let reads: [Statement] = [
        StripeGrant.SQL.owner, DeadLetterRecord.SQL.list, DeadLetterRecord.SQL.ids, DeadLetterRecord.SQL.count,
        AccountSummary.SQL.find, AdministratorSummary.SQL.list, AlertRecord.SQL.list, AuditRecord.SQL.list,
        RefusalRecord.SQL.list, ReadingRecord.SQL.write,
        InvoiceDetails.SQL.find,
        InvoiceDetails.SQL.lines, InvoiceSummary.SQL.list,
        OperatorCredential.SQL.list, OutboxBacklog.SQL.read, Plan.SQL.list,
        TemplateSummary.SQL.list,
        TenantDetails.SQL.find, TenantSummary.SQL.find, TenantExport.SQL.universalTime, TenantExport.SQL.tenant,
        TenantSummary.SQL.list, WorkerStatus.SQL.list,
    ]

    /// What the HTTP API runs beside what commands read.
    static let api: [Statement] = [
        SignIn.SQL.candidates, SignIn.SQL.signIn, SignIn.SQL.end, SignInThrottle.SQL.wait, SignInThrottle.SQL.count,
        SignInThrottle.SQL.forget, Refusal.SQL.count, CredentialUse.SQL.note, RequestRecord.SQL.write,
    ]

    /// What commands change, as the owner.
    static let changes: [Statement] = [
        StripeGrant.SQL.account, StripeGrant.SQL.grant, StripeGrant.SQL.withdraw,
        AccountSuspension.SQL.hold, AccountSuspension.SQL.set, TenantSuspension.SQL.hold, TenantPlan.SQL.hold, TenantPlan.SQL.set,
        TokenRevocation.SQL.revoke,
        OperatorCredential.SQL.isValid, OperatorCredential.SQL.issue, OperatorCredential.SQL.revoke,
    ]

    static func tenantReads(_ schema: Identifier) -> [Statement] {
        [TenantDetails.SQL.settings(schema), TenantExport.SQL.size(schema)]
    }
}
