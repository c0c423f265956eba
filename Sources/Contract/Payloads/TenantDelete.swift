extension Kind {
    public static let tenantDelete = Kind(
        "tenant.delete", family: .tenant, needsTenant: true, access: Access(account: true), states: .alive, isAudited: true,
        takesPrecondition: true,
        summary: "Archives a tenant, to be purged after its retention time, or purges it at once.")
}

/// `tenant.delete` (contract, section 4).
public struct TenantDelete: JobPayload, Equatable {
    public static let kind = Kind.tenantDelete

    public enum Mode: String, Sendable, CaseIterable, ClosedWord {
        case archive, purge
    }

    public var mode: Mode
    /// Days from the archive to the purge, 0 to 3,650; nil: as the fleet is configured.
    public var retentionDays: Int64?

    public init(mode: Mode = .archive, retentionDays: Int64? = nil) {
        self.mode = mode
        self.retentionDays = retentionDays
    }

    public static let fields = Fields(TenantDelete(), rules: [onlyArchivesWait]) {
        Field("mode", \.mode, .word, default: .archive)
        Field("retention_days", \.retentionDays, .integer(0...3_650))
    }

    private static let onlyArchivesWait = FieldRule<TenantDelete>(
        schema: [
            "not": [
                "required": ["mode", "retention_days"],
                "properties": ["mode": ["const": "purge"], "retention_days": ["type": "integer"]],
            ]
        ]
    ) { payload throws(FieldFailure) in
        guard payload.mode == .archive || payload.retentionDays == nil else {
            throw FieldFailure("goes with the mode archive: a purge is at once").at("retention_days")
        }
    }

    public static let example = TenantDelete(mode: .archive, retentionDays: 30)

    public static let resultSchema = Schema.tenantState.mergePatch([
        "properties": [
            "purge_at": Instant.schema,
            "purged": purgedSchema,
        ]
    ])

    /// A purge's proof: how many rows each table had, and that the schema is gone.
    static let purgedSchema = Schema.object(
        required: ["schema", "schema_is_gone", "rows"],
        [
            "schema": Schema.anyText, "schema_is_gone": ["const": true],
            "rows": ["type": "object", "additionalProperties": Schema.count],
        ])
}
