extension Kind {
    public static let tenantCreateMany = Kind(
        "tenant.create_many", family: .tenant, access: Access(account: true), isAudited: true,
        summary: "Opens up to 1,000 tenants from one manifest, with an outcome for each.")
}

/// `tenant.create_many` (contract, section 4): what `defaults` says holds for every tenant that does not say otherwise.
public struct TenantCreateMany: JobPayload, Equatable {
    public static let kind = Kind.tenantCreateMany

    /// Fields of `tenant.create`.
    public var defaults: [String: JSONValue]?
    /// 1 to 1,000, each with the fields of `tenant.create` that are its own.
    public var tenants: [[String: JSONValue]]

    public init(defaults: [String: JSONValue]? = nil, tenants: [[String: JSONValue]]) {
        self.defaults = defaults
        self.tenants = tenants
    }

    /// What `tenant.create` would be sent for the tenant at `index`: the defaults with the tenant's own fields laid over them. Settings are
    /// merged (a JSON merge patch, RFC 7396), limits metric by metric; any other field replaces the default, also with null.
    ///
    /// - Throws: the item's own rejection, its field a pointer into this payload.
    public func item(_ index: Int) throws(Rejection) -> TenantCreate {
        // Before anything is merged: a manifest of a thousand bad items with large defaults costs no more than its bytes.
        guard let slug = tenants[index]["slug"] ?? defaults?["slug"], case .string(let slug) = slug, Slug.isValid(slug)
        else {
            throw .invalid("/tenants/\(index)/slug", "must be a slug: \(Slug.pattern)")
        }
        var merged = defaults ?? [:]
        for (key, own) in tenants[index] {
            switch (key, merged[key], own) {
            case ("settings", .object?, .object): merged[key] = merged[key]!.mergePatch(own)
            case ("limits", .object(let common)?, .object(let own)): merged[key] = .object(common.merging(own) { _, own in own })
            default: merged[key] = own
            }
        }
        do throws(Rejection) {
            return try PayloadDecoder.decode(TenantCreate.self, from: .object(merged))
        } catch {
            throw Rejection(error.code, error.message, field: "/tenants/\(index)\(error.field ?? "")")
        }
    }

    /// Fields of `tenant.create`, looked at when the tenant's turn comes: one that is wrong is refused by itself.
    private static let item = FieldType<[String: JSONValue]>(
        schema: ["type": "object"], read: FieldType.anyObject.read, write: FieldType.anyObject.write,
        audited: { TenantCreate.fields.audited($0) })

    /// They are laid under each tenant in its turn, so their size counts a thousand times.
    private static let common = FieldType<[String: JSONValue]>(
        schema: item.schema, read: item.read, write: item.write,
        check: { defaults throws(FieldFailure) in
            let bytes = JSONValue.object(defaults).storedBytes
            if bytes > Bounds.defaultsBytes { throw .tooLarge(bytes, most: Bounds.defaultsBytes, "defaults have") }
        }, audited: item.audited)

    public static let fields = Fields(TenantCreateMany(tenants: [])) {
        Field("defaults", \.defaults, common.described("Fields of tenant.create for every tenant."))
        Field("tenants", \.tenants, .list(item.described("Fields of tenant.create, laid over the defaults."), 1...1_000))
    }

    public static let example = TenantCreateMany(
        defaults: ["environment": "staging"],
        tenants: [
            ["slug": "acme-north", "display_name": "Acme North"], ["slug": "acme-south", "display_name": "Acme South"],
        ])

    public static let resultSchema = Schema.object(
        required: ["created", "existing", "rejected", "tenants"],
        [
            "created": Schema.count, "existing": Schema.count, "rejected": Schema.count,
            "tenants": Schema.list(
                Schema.object(
                    required: ["status"],
                    [
                        "tenant": Schema.anyText, "schema": Schema.anyText,
                        "status": ["type": "string", "enum": ["created", "exists", "rejected"]],
                        "error": Rejection.schema,
                    ])),
        ])
}
