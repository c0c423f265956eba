internal import Contract
internal import Jobs
internal import Postgres

extension Tenants {
    /// Tenants of one transaction, which keeps some fifty locks for each until it ends: with as many as these, seven lanes at once fit into the
    /// lock table of a PostgreSQL with default settings.
    static let partSize = 16

    /// `tenant.create_many`: part by part, each committed for itself. What an earlier delivery has made is found again by its `created_by`.
    static func tenantCreateMany() -> any JobHandler {
        PartwiseJobHandler(TenantCreateMany.self) { payload, job, database in
            let opening = TenantOpening(account: job.account, jobID: job.id)
            var manifest = Manifest(payload)
            while let part = manifest.nextPart(of: partSize) {
                try open(part, of: &manifest, opening, on: &database.transaction)
                try database.nextPart()
            }
            return Reply(manifest.result)
        }
    }

    private static func open(
        _ part: [Manifest.Entry], of manifest: inout Manifest, _ opening: TenantOpening, on database: inout Transaction
    ) throws {
        // Before the plain ones hold the account's row, and where no savepoint gives it back.
        if part.contains(where: { $0.tenant.template != nil }) { try opening.takeTurn(on: &database) }
        let plain = part.filter { $0.tenant.template == nil }
        let verdicts = try openTogether(plain.map(\.tenant), opening, on: &database)
        for (entry, verdict) in zip(plain, verdicts ?? []) { manifest.note(verdict, on: entry) }
        // A template may not fit, which is known when it is applied: each for itself, so that it can be undone. So with all that do not go
        // together: only the one that is to blame is refused.
        for entry in part where entry.tenant.template != nil || verdicts == nil {
            manifest.note(try openAlone(entry.tenant, opening, on: &database), on: entry)
        }
    }

    /// - Returns: nil if the data of one of them was refused; then nothing is done.
    private static func openTogether(
        _ tenants: [TenantCreate], _ opening: TenantOpening, on database: inout Transaction
    ) throws -> [TenantOpening.Verdict]? {
        guard !tenants.isEmpty else { return [] }
        do {
            return try database.savepoint { database in try opening.open(tenants, on: &database) }
        } catch let error as PostgresError where error.refusal != nil {
            return nil
        }
    }

    private static func openAlone(
        _ tenant: TenantCreate, _ opening: TenantOpening, on database: inout Transaction
    ) throws -> TenantOpening.Verdict {
        do {
            return try database.savepoint { database in try opening.open([tenant], on: &database)[0] }
        } catch let rejection as Rejection {
            return .refused(rejection)
        } catch let error as PostgresError {
            guard let rejection = error.refusal else { throw error }
            return .refused(rejection)
        }
    }
}

extension PostgresError {
    /// What a tenant is told whose data are to blame; nil if they are not. 54000 is a value too large for an index or a row.
    fileprivate var refusal: Rejection? {
        guard isDataFault || sqlState == "54000" else { return nil }
        return sqlState == "23505"
            ? Rejection(.conflict, "it collides with what is there (\(constraint ?? "a unique key"))")
            : Rejection(.invalidPayload, "the database refused its data: \(message)")
    }
}

/// A manifest on its way: what is still to be opened, and what became of the others.
struct Manifest {
    struct Entry {
        let index: Int
        let tenant: TenantCreate
    }

    private let payload: TenantCreateMany
    private var next = 0
    private var slugs: Set<String> = []
    private var outcomes: [JSONValue?]
    private var counts: [Status: Int64] = [:]

    enum Status: String {
        case created, exists, rejected
    }

    init(_ payload: TenantCreateMany) {
        self.payload = payload
        outcomes = Array(repeating: nil, count: payload.tenants.count)
    }

    /// The next entries that can be opened, as far as their payload tells; nil at the end. The others are refused on the way.
    mutating func nextPart(of size: Int) -> [Entry]? {
        guard next < payload.tenants.count else { return nil }
        var part: [Entry] = []
        while next < payload.tenants.count, part.count < size {
            let index = next
            next += 1
            do throws(Rejection) {
                let tenant = try payload.item(index)
                guard slugs.insert(tenant.slug).inserted else {
                    throw .invalid("/tenants/\(index)/slug", "is the slug of an earlier tenant of this manifest")
                }
                part.append(Entry(index: index, tenant: tenant))
            } catch {
                note(.rejected, at: index, schema: nil, error)
            }
        }
        return part
    }

    mutating func note(_ verdict: TenantOpening.Verdict, on entry: Entry) {
        switch verdict {
        case .created(let schema), .exists(let schema, byThisJob: true):
            note(.created, at: entry.index, schema: schema, nil)
        case .exists(let schema, byThisJob: false):
            note(.exists, at: entry.index, schema: schema, nil)
        case .refused(let rejection):
            let field = rejection.field.map { "/tenants/\(entry.index)\($0)" } ?? "/tenants/\(entry.index)"
            note(.rejected, at: entry.index, schema: nil, Rejection(rejection.code, rejection.message, field: field))
        }
    }

    private mutating func note(_ status: Status, at index: Int, schema: Identifier?, _ error: Rejection?) {
        var outcome: [String: JSONValue] = ["status": .string(status.rawValue)]
        if case .string(let slug)? = payload.tenants[index]["slug"] { outcome["tenant"] = .string(slug) }
        if let schema { outcome["schema"] = .string(schema.name) }
        if let error { outcome["error"] = error.json }
        outcomes[index] = .object(outcome)
        counts[status, default: 0] += 1
    }

    /// What the sender is told.
    var result: [String: JSONValue] {
        [
            "created": .int(counts[.created] ?? 0), "existing": .int(counts[.exists] ?? 0),
            "rejected": .int(counts[.rejected] ?? 0), "tenants": .array(outcomes.map { $0 ?? .null }),
        ]
    }
}
