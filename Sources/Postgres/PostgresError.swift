internal import CLibPQ

/// What went wrong between this process and PostgreSQL.
///
/// SQLSTATEs stay raw: the classes are those of the manual's appendix A, "PostgreSQL Error Codes".
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// The connection was lost or refused: the outcome of what was under way is unknown.
        case connection
        /// The server reported it; there is an SQLSTATE.
        case server
        /// The driver was misused; nothing was sent.
        case usage
        /// The transaction took longer than its ``TransactionDeadline`` and was cancelled.
        case overdue
    }

    public var kind: Kind
    /// Five characters, as the server sent them.
    public var sqlState: String?
    public var message: String
    public var detail: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?
    /// The SQL text of the statement that failed.
    public var statement: String?

    public init(_ kind: Kind, _ message: String, sqlState: String? = nil, statement: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.statement = statement
    }

    /// True if the connection cannot be used any more and another one may succeed.
    public var isConnectionLoss: Bool {
        guard kind != .connection, !hasClass("08"), let sqlState else { return kind != .usage && kind != .overdue }
        // The server ends, or has ended this session: because of what its administrator said, or since it was idle for too long.
        return ["57P01", "57P02", "57P03", "57P04", "57P05", "25P03"].contains(sqlState)
    }

    /// True if the role lacks the right to it, or has transactions that only read.
    public var isDenied: Bool { sqlState == "42501" || sqlState == "25006" }

    /// True if the table or the schema is not there.
    public var isMissingRelation: Bool { sqlState == "42P01" || sqlState == "3F000" }

    /// True if the connection's ``Connection/fence`` has ended the transaction.
    public var isFenced: Bool { sqlState == "TN001" }

    /// Message, SQLSTATE and constraint. The detail is left out because it quotes the row's values.
    public var description: String {
        var text = message
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let constraint { text += ", constraint \(constraint)" }
        return text
    }

    private func hasClass(_ twoCharacters: String) -> Bool { sqlState?.hasPrefix(twoCharacters) ?? false }
}

extension PostgresError {
    init(overdue deadline: TransactionDeadline, statement: String?) {
        self.init(.overdue, "the transaction was cancelled: its time was over", sqlState: "57014", statement: statement)
    }

    /// Reads a failed result. Without an SQLSTATE it is libpq's own report, which means that the connection failed.
    init(result: OpaquePointer, statement: String?) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        let sqlState = field(CLIBPQ_DIAG_SQLSTATE)
        let message = field(CLIBPQ_DIAG_MESSAGE_PRIMARY) ?? Self.trimmed(PQresultErrorMessage(result))
        self.init(sqlState == nil ? .connection : .server, message, sqlState: sqlState, statement: statement)
        detail = field(CLIBPQ_DIAG_MESSAGE_DETAIL)
        schema = field(CLIBPQ_DIAG_SCHEMA_NAME)
        table = field(CLIBPQ_DIAG_TABLE_NAME)
        column = field(CLIBPQ_DIAG_COLUMN_NAME)
        constraint = field(CLIBPQ_DIAG_CONSTRAINT_NAME)
    }

    /// libpq ends its messages with line feeds.
    static func trimmed(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        var message = Substring(String(cString: text))
        while let last = message.last, last.isWhitespace { message.removeLast() }
        return String(message)
    }
}
