internal import Contract
internal import Jobs
internal import Postgres

extension Tenants {
    /// Tenants of one transaction. Each holds some fifty locks until the commit; with this number, seven lanes at once fit into the lock table
    /// of a PostgreSQL with default settings.
    static let partSize = 16

    /// `tenant.create_many`: part by part, each committed on its own. Tenants that an earlier delivery of the job has made are recognized by
    /// their `created_by`.
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
        _ part: [Manifest.Item], of manifest: inout Manifest, _ opening: TenantOpening, on database: inout Transaction
    ) throws {
        // The account's turn has to come before its row is locked for the plain tenants, and outside of savepoints, which would give it back.
        if part.contains(where: { $0.tenant.template != nil }) { try opening.takeTurn(on: &database) }
        let plain = part.filter { $0.tenant.template == nil }
        let outcomes = try openTogether(plain.map(\.tenant), opening, on: &database)
        for (item, outcome) in zip(plain, outcomes ?? []) { manifest.note(outcome, on: item) }
        // Whether a template fits is only known when it is applied, so these tenants are opened one by one, each under a savepoint. So are
        // the plain ones if they could not be opened together: then only the tenant whose data are at fault is refused.
        for item in part where item.tenant.template != nil || outcomes == nil {
            manifest.note(try openAlone(item.tenant, opening, on: &database), on: item)
        }
    }

    /// - Returns: nil if the data of one of them was refused; then nothing is done.
    private static func openTogether(
        _ tenants: [TenantCreate], _ opening: TenantOpening, on database: inout Transaction
    ) throws -> [OpeningOutcome]? {
        guard !tenants.isEmpty else { return [] }
        do {
            return try database.savepoint { database in try opening.open(tenants, on: &database) }
        } catch let error as PostgresError where error.refusal != nil {
            return nil
        }
    }

    private static func openAlone(
        _ tenant: TenantCreate, _ opening: TenantOpening, on database: inout Transaction
    ) throws -> OpeningOutcome {
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
    /// Why a tenant is refused if its own data are at fault; nil if they are not. 54000: a value is too large for an index or a row.
    fileprivate var refusal: Rejection? {
        guard fault == .data else { return nil }
        return sqlState == "23505"
            ? Rejection(.conflict, "it collides with what is there (\(constraint ?? "a unique key"))")
            : Rejection(.invalidPayload, "the database refused its data: \(message)")
    }
}

/// The progress of a manifest: which tenants are still to be opened, and what became of the others.
struct Manifest {
    struct Item {
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

    /// The next tenants with a valid payload; nil at the end. Those with an invalid one are noted as refused.
    mutating func nextPart(of size: Int) -> [Item]? {
        guard next < payload.tenants.count else { return nil }
        var part: [Item] = []
        while next < payload.tenants.count, part.count < size {
            let index = next
            next += 1
            do throws(Rejection) {
                let tenant = try payload.item(index)
                guard slugs.insert(tenant.slug).inserted else {
                    throw .invalid("/tenants/\(index)/slug", "is the slug of an earlier tenant of this manifest")
                }
                part.append(Item(index: index, tenant: tenant))
            } catch {
                note(.rejected, at: index, schema: nil, error)
            }
        }
        return part
    }

    mutating func note(_ outcome: OpeningOutcome, on item: Item) {
        switch outcome {
        case .created(let schema), .exists(let schema, byThisJob: true):
            note(.created, at: item.index, schema: schema, nil)
        case .exists(let schema, byThisJob: false):
            note(.exists, at: item.index, schema: schema, nil)
        case .refused(let rejection):
            let field = rejection.field.map { "/tenants/\(item.index)\($0)" } ?? "/tenants/\(item.index)"
            var blamed = rejection
            blamed.field = field
            note(.rejected, at: item.index, schema: nil, blamed)
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

    /// The job's result: how many of each status, and each tenant's outcome in the manifest's order.
    var result: [String: JSONValue] {
        [
            "created": .int(counts[.created] ?? 0), "existing": .int(counts[.exists] ?? 0),
            "rejected": .int(counts[.rejected] ?? 0), "tenants": .array(outcomes.map { $0 ?? .null }),
        ]
    }
}
