public import Contract
public import Postgres

/// That somebody asked for something by HTTP that is no job, for the audit log. A function of the database writes it, under what the credential says.
public enum RequestRecord {
    public enum Deed: Sendable {
        case export, search, replay, discard

        var deed: AuditedDeed {
            switch self {
            case .export: .tenantExport
            case .search: .corpusSearch
            case .replay: .deadReplay
            case .discard: .deadDiscard
            }
        }
    }

    /// Written before it is done, so that what is broken off is on record, too.
    ///
    /// - Parameters:
    ///   - key: the credential's, which has been checked.
    ///   - tenant: whose data it is; one of another account than the credential's is an error (SQLSTATE 22023).
    ///   - details: no more than a few KiB.
    public static func write(
        _ deed: Deed, key: String, tenant: String?, details: [String: JSONValue] = [:],
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        _ = try database.query(
            SQL.write, key, deed.deed.rawValue, tenant, JSONText(JSONValue.object(details).serialised()))
    }

    enum SQL {
        static let write: Statement = "select tenantry.record_request($1, $2, $3, $4)"
    }
}
