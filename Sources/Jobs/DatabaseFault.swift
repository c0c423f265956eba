public import Postgres

/// Whose fault it is that the database refused something, by its SQLSTATE: the one table from which follows what is done about it.
///
/// Source: [PostgreSQL Error Codes](https://www.postgresql.org/docs/15/errcodes-appendix.html).
public enum DatabaseFault: Sendable, CaseIterable {
    /// The connection, or the server: it is gone, ends or begins, has no room, only reads. Nothing can be done until that has changed.
    case server
    /// Another transaction that ran beside it. At once again.
    case collision
    /// Somebody holds a lock for long, or the server was told not to go on: it passes, and whoever works elsewhere need not wait for it.
    case time
    /// What the fleet stands on: a right, a table, a column, a function that is not there. Somebody has to mend it, and no job is to blame.
    case environment
    /// What the statement was given: a value, a row, a size.
    case data
    /// This session: a plan that is outdated, a statement that a pooler has forgotten. A new one helps.
    case session
    /// More at once than the server has room for: less at once may go.
    case size
    /// The transaction took longer than its own time.
    case overdue
    /// Anything else.
    case unknown

    /// The SQLSTATEs that are told apart from their class.
    static let states: [String: DatabaseFault] = [
        // 25: invalid transaction state
        "25006": .server, "25P03": .server,
        // 40: transaction rollback
        "40001": .collision, "40P01": .collision,
        // 42: syntax error or access rule violation. What is left of it is a statement that is wrong.
        "42501": .environment, "42P01": .environment, "42703": .environment, "42883": .environment, "42704": .environment,
        // 53: insufficient resources
        "53200": .size, "53400": .size,
        // 55: object not in prerequisite state
        "55P03": .time, "55006": .time,
        // 57: operator intervention
        "57014": .time,
        // 0A, 26: a plan, a prepared statement
        "0A000": .session, "26000": .session,
    ]
    /// By the first two characters of the others.
    static let classes: [String: DatabaseFault] = [
        "08": .server, "53": .server, "57": .server, "58": .server,
        "22": .data, "23": .data, "54": .data,
        "3D": .environment, "3F": .environment, "28": .environment,
    ]
}

extension PostgresError {
    public var fault: DatabaseFault {
        switch kind {
        case .connection: return .server
        case .overdue: return .overdue
        case .usage: return .unknown
        case .server: break
        }
        guard let sqlState else { return .unknown }
        return DatabaseFault.states[sqlState] ?? DatabaseFault.classes[String(sqlState.prefix(2))] ?? .unknown
    }
}
