internal import Contract
internal import Postgres
internal import Synchronization

/// What this worker leads, each for a time that it renews: the fleet, and each of the leader's duties that may take long.
///
/// A lease that is not renewed, because its holder is dead, frozen or cut off, is over after ``seconds``, and any worker may take it. With each
/// change of the holder its number grows: a transaction that was begun under an earlier number does not commit (``Postgres/Connection/fence``).
/// All times are the database's, but for when this worker takes its own leases for lost, which is never later.
final class Leases: Sendable {
    /// How long a lease holds, and how often it is renewed.
    static let seconds = 10.0
    static let renewalSeconds = 2.0
    /// The lead of the fleet.
    static let leader = "leader"

    private struct Lease {
        let token: Int64
        /// In monotonic seconds.
        var until: Double
    }

    private let holder: String
    private let held = Mutex<[String: Lease]>([:])

    /// - Parameter holder: the worker's id.
    init(holder: String) {
        self.holder = holder
    }

    func isHeld(_ name: String) -> Bool { lease(name) != nil }

    /// What ends a transaction once the lease is over; nil if it is not held.
    func fence(_ name: String) -> String? {
        precondition(name.utf8.allSatisfy { $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\") }, "\(name) is no name of ours")
        return lease(name).map { "select tenantry.require_lease('\(name)', \($0.token))" }
    }

    private func lease(_ name: String) -> Lease? {
        held.withLock { held in
            guard let lease = held[name], SystemClock.monotonicSeconds() < lease.until else { return nil }
            return lease
        }
    }

    /// Takes a lease if nobody has it.
    ///
    /// - Returns: whether it is held now.
    func take(_ name: String, on database: inout Postgres.Connection) throws(PostgresError) -> Bool {
        if isHeld(name) { return true }
        let asked = SystemClock.monotonicSeconds()
        let token = try database.query(SQL.take, name, holder, Self.seconds).decode(Int64.self).first
        held.withLock { $0[name] = token.map { Lease(token: $0, until: asked + Self.seconds) } }
        return token != nil
    }

    /// Renews all leases that are held. Those that are over are held no more.
    func renew(on database: inout Postgres.Connection) throws(PostgresError) {
        let (names, tokens) = held.withLock { held in (Array(held.keys), held.values.map(\.token)) }
        guard !names.isEmpty else { return }
        let asked = SystemClock.monotonicSeconds()
        let renewed = try database.query(SQL.renew, names, tokens, Self.seconds).decode((String, Int64).self)
        held.withLock { held in
            for (name, token) in zip(names, tokens) where held[name]?.token == token {
                let isRenewed = renewed.contains { $0 == name && $1 == token }
                held[name]?.until = isRenewed ? asked + Self.seconds : 0
            }
            held = held.filter { $0.value.until > 0 }
        }
    }

    /// Renews it no more: it ends by itself.
    func forget(_ name: String) {
        held.withLock { $0[name] = nil }
    }

    /// Gives a lease back, for the next worker to take at once.
    func giveBack(_ name: String, on database: inout Postgres.Connection) throws(PostgresError) {
        guard let lease = held.withLock({ $0.removeValue(forKey: name) }) else { return }
        _ = try database.query(SQL.giveBack, name, lease.token)
    }

    /// The lease was over before the work was begun that it stands for.
    struct Over: Error {}

    enum SQL {
        /// A lease that is somebody's is only read: workers that ask for it do not wait for each other.
        static let take: Statement = """
            insert into tenantry.leases as l (name, holder, token, expires_at)
            select $1, $2, 1, clock_timestamp() + $3 * interval '1 second'
            where not exists (select from tenantry.leases where name = $1 and expires_at > clock_timestamp())
            on conflict (name) do update set holder = excluded.holder, token = l.token + 1, expires_at = excluded.expires_at
            where l.expires_at <= clock_timestamp()
            returning token
            """
        static let renew: Statement = """
            update tenantry.leases l set expires_at = clock_timestamp() + $3 * interval '1 second'
            from unnest($1::text[], $2::int8[]) as h (name, token)
            where l.name = h.name and l.token = h.token and l.expires_at > clock_timestamp()
            returning l.name, l.token
            """
        static let giveBack: Statement =
            "update tenantry.leases set expires_at = clock_timestamp() where name = $1 and token = $2"
    }
}
