internal import Contract
internal import Crypto
internal import Postgres

/// How many wrong passwords are borne in a quarter of an hour: for an e-mail address, there or not, and from a network address.
///
/// A try counts from before its password is looked at, so that many at once are no way around it; one that turns out right is taken out again.
struct SignInThrottle {
    static let mostOfEmail = 10
    static let mostOfAddress = 100

    /// A try that was let in.
    struct Attempt {
        fileprivate let rows: [Int64]

        /// Its password was right.
        func forget(on database: inout Connection) throws(PostgresError) {
            _ = try database.query(SQL.forget, rows)
        }
    }

    /// Counts a try.
    ///
    /// - Throws: ``SignIn/Refusal/throttled(seconds:)`` if there were too many.
    static func admit(email: String, address: String, on database: inout Connection) throws -> Attempt {
        let subjects = ["email:" + SHA256.hash(data: Array(email.lowercased().utf8)).hexadecimal, "address:" + address]
        return try database.transaction { database in
            // One after another for each of them, so that nobody is let in beside the last.
            for subject in subjects { try database.takeTurn(subject) }
            let wait = try database.query(SQL.wait, subjects[0], subjects[1], mostOfEmail - 1, mostOfAddress - 1).only(
                Double?.self)
            if let wait { throw SignIn.Refusal.throttled(seconds: max(1, Int64(wait.rounded(.up)))) }
            return Attempt(rows: try database.query(SQL.count, subjects).decode(Int64.self))
        }
    }

    enum SQL {
        /// Seconds until there is room again; null: there is.
        static let wait: Statement = """
            select extract(epoch from interval '15 minutes' - (clock_timestamp() - greatest(
                (select at from tenantry.sign_in_failures where subject = $1 and at > clock_timestamp() - interval '15 minutes'
                 order by at desc offset $3 limit 1),
                (select at from tenantry.sign_in_failures where subject = $2 and at > clock_timestamp() - interval '15 minutes'
                 order by at desc offset $4 limit 1))))::float8
            """
        static let count: Statement = """
            insert into tenantry.sign_in_failures (subject) select unnest($1::text[]) returning id
            """
        static let forget: Statement = "delete from tenantry.sign_in_failures where id = any($1)"
    }
}
