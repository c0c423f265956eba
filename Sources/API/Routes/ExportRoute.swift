internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Logging
internal import NIOCore
internal import Postgres
internal import Tenants

/// All of a tenant as JSON Lines, streamed: however much it is, little of it is in memory at once.
enum ExportRoute {
    static let route = Route(
        method: .get, path: PathPattern("/v1/tenants/{slug}/export"),
        summary:
            "All of a tenant as JSON Lines, from one moment: settings, documents, conversations, messages; the last line counts the others.",
        right: .reading(.export),
        success: Route.Success(status: .ok, otherTypes: [Form.jsonLines.rawValue, Form.newlineDelimitedJSON.rawValue])
    ) { call in
        let (slug, key) = (try call.tenant.slug, try call.caller.principal.key)
        try await call.database { database, _ in
            try AccessRecord.write(.export, of: slug, by: .credential(key), on: &database)
        }
        let chunks = try call.services.exports.export(slug, of: try call.tenant.account)
        return .stream(
            type: call.form == .json ? Form.jsonLines.rawValue : call.form.rawValue,
            ResponseBody { writer in
                defer { chunks.stop() }
                do {
                    while let chunk = try await chunks.next() { try await writer.write(chunk) }
                } catch {
                    call.services.logger.warning("export broken off", metadata: ["tenant.id": "\(slug)", "error": "\(error)"])
                    throw error
                }
                try await writer.finish(nil)
            })
    }
}
