/// SQL text with `$1`-style parameters, to be prepared once per connection and run often.
///
/// Its hash is computed when it is made, so keep statements (`static let`, or one per tenant in a cache) rather than make
/// them for each use.
public struct Statement: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let sql: String
    private let hash: Int

    public init(_ sql: String) {
        self.sql = sql
        hash = sql.hashValue
    }

    public init(stringLiteral sql: String) { self.init(sql) }

    public var description: String { sql }

    public static func == (left: Statement, right: Statement) -> Bool { left.hash == right.hash && left.sql == right.sql }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
