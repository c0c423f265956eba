public import Contract
public import Postgres

/// That somebody has read what is a tenant's, or has done what is no job, for the audit log. Functions of the database write it, so that those may
/// record it who may write nothing else.
public enum AccessRecord {
    public enum Deed: Sendable {
        case export, search, documents, conversations, replay, discard

        var deed: AuditedDeed {
            switch self {
            case .export: .tenantExport
            case .search: .corpusSearch
            case .documents: .corpusRead
            case .conversations: .conversationRead
            case .replay: .deadReplay
            case .discard: .deadDiscard
            }
        }
    }

    /// Who it was.
    public enum Actor: Sendable {
        /// The user of the machine that a command ran on; clipped to 200 characters.
        case user(String)
        /// The key of a credential that has been checked.
        case credential(String)
    }

    /// Written before it is done, so that what is broken off is on record, too.
    ///
    /// - Parameters:
    ///   - tenant: whose data it is. Of a user, one that is not there leaves nothing; of a credential, one of another account is an error
    ///     (SQLSTATE 22023).
    ///   - details: no more than a few KiB.
    public static func write(
        _ deed: Deed, of tenant: String?, by actor: Actor, details: [String: JSONValue] = [:], on database: inout Connection
    ) throws(PostgresError) {
        let details = JSONText(JSONValue.object(details).serialised())
        switch actor {
        case .credential(let key): _ = try database.query(SQL.request, key, deed.deed.rawValue, tenant, details)
        case .user(let name):
            // A reader's transactions only read unless they say otherwise.
            try database.transaction(mode: "read write") { (database: inout Transaction) throws(PostgresError) -> Void in
                _ = try database.query(SQL.reading, deed.deed.rawValue, tenant, String(name.prefix(200)), details)
            }
        }
    }

    enum SQL {
        static let request: Statement = "select tenantry.record_request($1, $2, $3, $4)"
        static let reading: Statement = "select tenantry.record_reading($1, $2, $3, $4)"
    }
}
