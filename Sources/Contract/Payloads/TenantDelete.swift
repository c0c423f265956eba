extension Kind {
    public static let tenantDelete = Kind(
        "tenant.delete", family: .tenant, needsTenant: true, access: Access(account: true), states: .alive, isAudited: true,
        summary: "Archives a tenant, to be purged after its retention time, or purges it at once.")
}

/// `tenant.delete` (contract, section 4).
public struct TenantDelete: JobPayload, Equatable {
    public static let kind = Kind.tenantDelete
    static let retentions: ClosedRange<Int64> = 0...3_650

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

    enum CodingKeys: String, CodingKey {
        case mode
        case retentionDays = "retention_days"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mode = try container.decodeIfPresent(Mode.self, forKey: .mode) ?? .archive
        retentionDays = try container.decodeInteger(Int64.self, forKey: .retentionDays)
    }

    public func validate() throws(Rejection) {
        guard let retentionDays else { return }
        try Rule.require(mode == .archive, "/retention_days", "goes with the mode archive: a purge is at once")
        try Rule.require(Self.retentions.contains(retentionDays), "/retention_days", "must be 0 to 3650")
    }

    public static let schema = Schema.object([
        "mode": Schema.optional(Mode.schema, default: "archive"),
        "retention_days": Schema.optional(
            ["type": "integer", "minimum": .int(retentions.lowerBound), "maximum": .int(retentions.upperBound)]),
    ]).mergePatch([
        "not": [
            "required": ["mode", "retention_days"],
            "properties": ["mode": ["const": "purge"], "retention_days": ["type": "integer"]],
        ]
    ])

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
