extension LifecycleEvent {
    /// The body's JSON Schema: what happened, to whom, and what goes with it. Every field is there; what does not apply is null.
    var schema: JSONValue {
        var fields = ["event": ["const": .string(rawValue)], "account": Slug.schema] as [String: JSONValue]
        switch subject {
        case .account: break
        case .tenant: fields["tenant"] = Slug.schema
        case .accountOrTenant: fields["tenant"] = Schema.optional(Slug.schema)
        }
        fields.merge(details) { own, _ in own }
        return Schema.object(required: fields.keys.sorted(), fields)
    }

    private var details: [String: JSONValue] {
        switch self {
        case .accountCreated, .accountUpdated: [:]
        case .tenantCreated: ["schema": Schema.anyText]
        case .tenantUpdated: ["changed": Schema.list(Schema.anyText)]
        case .tenantSuspended, .tenantResumed, .tenantRestored: ["state": Schema.state]
        case .tenantArchived: ["state": Schema.state, "purge_at": Instant.schema]
        case .tenantPurged: ["state": Schema.state, "purged": TenantDelete.purgedSchema]
        case .invoiceCreated:
            [
                "invoice": Schema.anyText, "period": Schema.month, "period_start": Instant.schema, "period_end": Instant.schema,
                "total": ["type": "integer"], "currency": Schema.currency,
            ]
        case .invoiceSent, .invoiceFailed:
            [
                "invoice": Schema.anyText, "stripe_account": Schema.anyText, "stripe_invoice": Schema.optional(Schema.anyText),
                "error": Schema.optional(Schema.anyText),
            ]
        case .webhookDisabled: ["webhook": Schema.anyText, "reason": Schema.anyText]
        case .activityIdle: ["last_active_at": Schema.optional(Instant.schema), "idle_hours": Schema.count]
        }
    }
}
