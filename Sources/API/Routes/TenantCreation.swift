internal import Contract
internal import HTTPTypes
internal import Jobs
internal import NIOCore
internal import Postgres
internal import Yams

/// Making one tenant, or many from a list.
enum TenantCreation {
    static let route = Route(
        method: .post, path: PathPattern("/v1/tenants"),
        summary: "Makes a tenant; or up to 1,000 from a list `{defaults, tenants}`, each with an outcome of its own.",
        right: .kind(.tenantCreate),
        body: RequestBody(
            content: [
                .json(["anyOf": [TenantCreate.schema, TenantCreateMany.schema]], example: TenantCreate.exampleJSON),
                .meaning("application/yaml", TenantCreateMany.schema, example: TenantCreateMany.exampleJSON),
            ], mostBytes: Kind.standardBodyLimitBytes),
        success: Route.Success(
            status: .created, schema: TenantCreate.resultSchema, also: [(.ok, TenantCreateMany.resultSchema)], mayBePending: true)
    ) { call in
        let bytes = Array(call.body.readableBytesView)
        let members: [String: JSONValue]
        var isAsItStands = true
        switch call.mediaType {
        case nil, "application/json": members = try PayloadDecoder.members(of: bytes)
        case "application/yaml", "application/x-yaml", "text/yaml":
            members = try YAMLBody.members(of: bytes)
            isAsItStands = false
        case .some(let type):
            throw Problem.unsupportedMediaType("this path takes application/json or application/yaml, not \(type)")
        }
        let isList = members["tenants"] != nil
        return try await Route.send(
            isList ? .tenantCreateMany : .tenantCreate, tenant: nil, members: members, bytes: isAsItStands ? bytes : nil,
            status: isList ? .ok : .created, call
        ) { _ in isList ? nil : members["slug"]?.text.map { "/v1/tenants/\($0)" } }
    }
}

/// A body in YAML, as the JSON that it means.
enum YAMLBody {
    /// As of a job's JSON.
    private static let mostValues = 100_000
    private static let mostDepth = 32

    /// - Throws: `Rejection` (`malformed_json` for what is no YAML, `payload_too_large`, `invalid_payload`).
    static func members(of bytes: [UInt8]) throws(Rejection) -> [String: JSONValue] {
        let node: Node?
        do {
            try refuseAliases(in: bytes)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Rejection(.malformedJSON, "the body is not UTF-8")
            }
            node = try Yams.compose(yaml: text)
        } catch let rejection as Rejection {
            throw rejection
        } catch {
            throw Rejection(.malformedJSON, "the body is no YAML: \("\(error)".prefix(200))")
        }
        var left = mostValues
        guard let node, case .object(let members) = try value(node, depth: 1, &left) else {
            throw .invalid("", "the payload must be an object")
        }
        return members
    }

    /// Aliases may stand for much more than was sent, and the parser itself follows them: so there are none where a value can begin.
    private static func refuseAliases(in bytes: [UInt8]) throws(Rejection) {
        var before = UInt8(ascii: "\n")
        for byte in bytes {
            if byte == UInt8(ascii: "*"), "\n\r:-[{,?".utf8.contains(before) {
                throw Rejection(.malformedJSON, "YAML's aliases (*name) are not taken; a text that begins so needs quotes")
            }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { before = byte }
        }
    }

    private static func value(_ node: Node, depth: Int, _ left: inout Int) throws(Rejection) -> JSONValue {
        left -= 1
        guard left >= 0, depth <= mostDepth else {
            throw Rejection(
                .payloadTooLarge, "the body means more than \(mostValues) values, or nests more than \(mostDepth) deep")
        }
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .string(scalar.string) }
            if node.null != nil { return .null }
            if let bool = node.bool { return .bool(bool) }
            if let int = node.int { return .int(Int64(int)) }
            if let double = node.float, double.isFinite { return .double(double) }
            return .string(scalar.string)
        case .sequence(let nodes):
            var values: [JSONValue] = []
            for node in nodes { values.append(try value(node, depth: depth + 1, &left)) }
            return .array(values)
        case .mapping(let pairs):
            var members: [String: JSONValue] = [:]
            for (key, node) in pairs {
                guard case .scalar(let name) = key else { throw .invalid("", "a name must be a text") }
                members[name.string] = try value(node, depth: depth + 1, &left)
            }
            return .object(members)
        default:
            throw .invalid("", "an alias without an anchor")
        }
    }
}
