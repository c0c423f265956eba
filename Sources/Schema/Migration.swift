internal import Contract
internal import Crypto

/// One step of a schema: its file's name and text, and a checksum, which tells whether the text has changed since it was applied.
public struct Migration: Sendable {
    /// The file's name without its ending; its place in the order and its identity in the ledger.
    public let name: String
    public let sql: String
    /// SHA-256 of the text, hexadecimal.
    public let checksum: String

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.sql = String(decoding: bytes, as: UTF8.self)
        self.checksum = SHA256.hash(data: bytes).hexadecimal
    }

    /// The control schema `tenantry`, oldest first.
    public static let control = [
        Migration("control_0001_foundation", PackageResources.control_0001_foundation_sql),
        Migration("control_0002_metering", PackageResources.control_0002_metering_sql),
        Migration("control_0003_tenancy", PackageResources.control_0003_tenancy_sql),
        Migration("control_0004_billing", PackageResources.control_0004_billing_sql),
        Migration("control_0005_outbox", PackageResources.control_0005_outbox_sql),
        Migration("control_0006_metrics", PackageResources.control_0006_metrics_sql),
        Migration("control_0007_shares", PackageResources.control_0007_shares_sql),
        Migration("control_0008_dead_letters", PackageResources.control_0008_dead_letters_sql),
        Migration("control_0009_audit", PackageResources.control_0009_audit_sql),
        Migration("control_0010_roles", PackageResources.control_0010_roles_sql),
        Migration("control_0011_template_text", PackageResources.control_0011_template_text_sql),
        Migration("control_0012_stripe_grants", PackageResources.control_0012_stripe_grants_sql),
        Migration("control_0013_tenant_plans", PackageResources.control_0013_tenant_plans_sql),
        Migration("control_0014_issuers", PackageResources.control_0014_issuers_sql),
        Migration("control_0015_inbox_scope", PackageResources.control_0015_inbox_scope_sql),
        Migration("control_0016_postponed", PackageResources.control_0016_postponed_sql),
        Migration("control_0017_leases", PackageResources.control_0017_leases_sql),
        Migration("control_0018_api", PackageResources.control_0018_api_sql),
        Migration("control_0019_reads", PackageResources.control_0019_reads_sql),
        Migration("control_0020_usage_history", PackageResources.control_0020_usage_history_sql),
        Migration("control_0021_webhooks", PackageResources.control_0021_webhooks_sql),
        Migration("control_0022_readings", PackageResources.control_0022_readings_sql),
        Migration("control_0023_letters", PackageResources.control_0023_letters_sql),
        Migration("control_0024_console", PackageResources.control_0024_console_sql),
    ]

    /// Every tenant's schema, oldest first; `{schema}` stands for the quoted schema name.
    public static let tenant = [
        Migration("tenant_0001_foundation", PackageResources.tenant_0001_foundation_sql),
        Migration("tenant_0002_feedback", PackageResources.tenant_0002_feedback_sql),
        Migration("tenant_0003_output", PackageResources.tenant_0003_output_sql),
        Migration("tenant_0004_reads", PackageResources.tenant_0004_reads_sql),
        Migration("tenant_0005_usage_history", PackageResources.tenant_0005_usage_history_sql),
    ]
}

/// Why a schema could not be brought up to date.
public enum SchemaError: Error, CustomStringConvertible {
    /// An applied migration's file has changed since: what the ledger has and what the file has.
    case checksumMismatch(schema: String, migration: String)
    /// The ledger has a migration that this build does not know: the database is newer than the binary.
    case unknownMigration(schema: String, migration: String)
    /// A migration failed and was rolled back.
    case failed(schema: String, migration: String, cause: any Error)

    public var description: String {
        switch self {
        case .checksumMismatch(let schema, let migration):
            "schema \(schema): migration \(migration) was changed after it had been applied; restore its file and add a new migration"
        case .unknownMigration(let schema, let migration):
            "schema \(schema): migration \(migration) is not known to this build; run a tenantry that is at least as new as the database"
        case .failed(let schema, let migration, let cause):
            "schema \(schema): migration \(migration) failed and was rolled back: \(cause)"
        }
    }
}
