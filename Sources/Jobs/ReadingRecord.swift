public import Contract
public import Postgres

/// That somebody has read what is a tenant's, for the audit log. It is written by a function of the database, so that those may record it who
/// may only read.
public enum ReadingRecord {
    public enum Reading: Sendable {
        case export, search, documents, conversations

        var deed: AuditedDeed {
            switch self {
            case .export: .tenantExport
            case .search: .corpusSearch
            case .documents: .corpusRead
            case .conversations: .conversationRead
            }
        }
    }

    /// Written before anything is read, so that what is broken off is on record, too. A tenant that is not there leaves none.
    ///
    /// - Parameters:
    ///   - actor: the user of the machine; clipped to 200 characters.
    ///   - details: no more than a few KiB.
    public static func write(
        _ reading: Reading, of tenant: String, by actor: String, details: [String: JSONValue] = [:],
        on database: inout Connection
    ) throws(PostgresError) {
        // A reader's transactions only read unless they say otherwise.
        try database.transaction(mode: "read write") { (database: inout Transaction) throws(PostgresError) -> Void in
            _ = try database.query(
                SQL.write, reading.deed.rawValue, tenant, String(actor.prefix(200)),
                JSONText(JSONValue.object(details).serialised()))
        }
    }

    enum SQL {
        static let write: Statement = "select tenantry.record_reading($1, $2, $3, $4)"
    }
}
