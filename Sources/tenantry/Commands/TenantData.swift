internal import Contract
internal import Jobs
internal import Postgres
internal import Tenants

/// A tenant's documents or conversations, for a command that shows them: that it does is on record first.
struct TenantData: ~Copyable {
    var database: Connection
    let schema: Identifier

    /// - Parameter details: what is looked for, for the record.
    init(
        _ tenant: String, _ reading: AccessRecord.Deed, _ settings: Settings, details: [String: JSONValue] = [:]
    ) throws {
        var database = try Connection(try settings.readersDatabase(name: "tenantry reading"))
        guard let found = try TenantDetails.find(tenant, on: &database), found.state != .purged else {
            throw Failure("there is no tenant \(tenant)")
        }
        try AccessRecord.write(
            reading, of: tenant, by: .user(commandActor()), details: ["payload": .object(details)], on: &database)
        self.schema = try Identifier(found.schema)
        self.database = database
    }
}
