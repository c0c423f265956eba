internal import Contract
internal import Documents
internal import Postgres

/// A tenant's settings: JSON values under names.
enum TenantSettings {
    /// Writes the settings of a tenant that has none yet. It uses COPY because that is not prepared: a prepared statement for each new schema
    /// would be used once and stay in the connection's cache.
    static func fill(
        _ settings: [String: JSONValue], in schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) {
        var rows: [UInt8] = []
        for (name, change) in settings.sorted(by: { $0.key < $1.key }) where change != .null {
            rows.appendCopied(Array(name.utf8))
            rows.append(UInt8(ascii: "\t"))
            rows.appendCopied(JSONValue.null.mergePatch(change).serialised())
            rows.append(UInt8(ascii: "\n"))
        }
        guard !rows.isEmpty else { return }
        let copy = "copy \(schema.quoted).settings (key, value) from stdin"
        let outcome = rows.withUnsafeBytes { bytes in
            Result { () throws(PostgresError) in try database.copyIn(copy, bytes) }
        }
        _ = try outcome.get()
    }

    /// Applies a JSON merge patch (RFC 7396): null removes a setting, an object is merged into the one that is there.
    ///
    /// Takes the turn to change the tenant's settings, which comes before the account's.
    ///
    /// - Returns: whether anything is different now.
    /// - Throws: `Rejection` (`limit_reached`) if the settings would be more than they may be; `PostgresError`.
    static func patch(
        _ patch: [String: JSONValue], in schema: Identifier, on database: inout Transaction
    ) throws -> Bool {
        try SettingsSize.takeTurn(schema, on: &database)
        let present = try values(of: patch.keys.sorted(), in: schema, on: &database)
        var (names, values, removed) = ([String](), [JSONText](), [String]())
        for (name, change) in patch.sorted(by: { $0.key < $1.key }) {
            guard change != .null else {
                if present[name] != nil { removed.append(name) }
                continue
            }
            let value = (present[name] ?? .null).mergePatch(change)
            guard value != present[name] else { continue }
            names.append(name)
            values.append(JSONText(value.serialised()))
        }
        let before = names.isEmpty ? 0 : try SettingsSize.bytes(schema, on: &database)
        if !names.isEmpty { _ = try database.query(SQL.save(schema), names, values) }
        if !removed.isEmpty { _ = try database.query(SQL.remove(schema), removed) }
        if !names.isEmpty { try SettingsSize.check(schema, before: before, field: "/settings", on: &database) }
        return !names.isEmpty || !removed.isEmpty
    }

    /// The settings of these names; their rows stay locked until the commit.
    private static func values(
        of names: [String], in schema: Identifier, on database: inout Transaction
    ) throws -> [String: JSONValue] {
        let held = try database.query(SQL.hold(schema), names).decode((String, JSONText).self)
        var values: [String: JSONValue] = [:]
        for (name, value) in held { values[name] = try JSONValue(parsing: Array(value.text.utf8)) }
        return values
    }

    enum SQL {
        static func hold(_ schema: Identifier) -> Statement {
            Statement("select key, value from \(schema.quoted).settings where key = any($1) order by key for update")
        }

        static func save(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).settings (key, value) select * from unnest($1::text[], $2::jsonb[])
                on conflict (key) do update set value = excluded.value
                """)
        }

        static func remove(_ schema: Identifier) -> Statement {
            Statement("delete from \(schema.quoted).settings where key = any($1)")
        }
    }
}

extension [UInt8] {
    /// A value in COPY's text format.
    fileprivate mutating func appendCopied(_ value: [UInt8]) {
        for byte in value {
            switch byte {
            case UInt8(ascii: "\\"): append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): append(contentsOf: #"\t"#.utf8)
            default: append(byte)
            }
        }
    }
}
