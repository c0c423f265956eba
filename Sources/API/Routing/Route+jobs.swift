internal import Contract
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import TenantryClient

/// How a request becomes a job's payload.
struct PayloadSource: Sendable {
    /// The schema of the request's body; nil: it has none.
    let body: RequestBody?
    /// The payload's members, and its bytes where they are the body as it stands.
    let read: @Sendable (Call) throws -> (members: [String: JSONValue], bytes: [UInt8]?)

    /// The body is the kind's payload, less what the path says.
    ///
    /// - Parameters:
    ///   - path: members that the path says.
    ///   - patch: what the route's example has otherwise than the kind's.
    static func body(
        _ kind: Kind, path names: [String: String] = [:], isRequired: Bool = true, example patch: JSONValue = [:]
    ) -> PayloadSource {
        let schema = kind.payload.schema.without(Set(names.keys))
        let example = names.keys.reduce(kind.payload.exampleJSON.mergePatch(patch)) { $0.mergePatch([$1: .null]) }
        let body = RequestBody.json(schema, example: example, mostBytes: kind.bodyLimitBytes, isRequired: isRequired)
        return PayloadSource(body: body) { call in
            let bytes = Array(call.body.readableBytesView)
            if let type = call.mediaType, type != "application/json" {
                throw Problem.unsupportedMediaType("this path takes application/json, not \(type)")
            }
            var members = bytes.isEmpty && !isRequired ? [:] : try PayloadDecoder.members(of: bytes)
            for (member, name) in names {
                let said = JSONValue.string(call.name(name))
                if let given = members[member], given != said {
                    throw Problem(Rejection.invalid("/\(member)", "is not what the path says"))
                }
                members[member] = said
            }
            return (members, names.isEmpty && !bytes.isEmpty ? bytes : nil)
        }
    }

    /// The path and the query say it all.
    static func none(_ members: @escaping @Sendable (Call) throws -> [String: JSONValue] = { _ in [:] }) -> PayloadSource {
        PayloadSource(body: nil) { (try members($0), nil) }
    }
}

extension JSONValue {
    /// An object's schema without some of its properties.
    func without(_ names: Set<String>) -> JSONValue {
        guard !names.isEmpty, case .object(var schema) = self else { return self }
        if case .object(let properties)? = schema["properties"] {
            schema["properties"] = .object(properties.filter { !names.contains($0.key) })
        }
        if case .array(let required)? = schema["required"] {
            let left = required.filter { if case .string(let name) = $0 { !names.contains(name) } else { true } }
            schema["required"] = left.isEmpty ? nil : .array(left)
        }
        return .object(schema)
    }
}

extension Route {
    /// A write: a job is published, and its answer awaited.
    ///
    /// - Parameters:
    ///   - location: where what was made is to be read; nil: nothing is made, and 200 is answered.
    ///   - tenant: the job's; by default the path's.
    static func job(
        _ method: HTTPRequest.Method, _ path: String, _ kind: Kind, _ summary: String, _ payload: PayloadSource? = nil,
        query: [QueryParameter] = [], location: (@Sendable (Call, JSONValue, [String: JSONValue]) -> String?)? = nil
    ) -> Route {
        let source = payload ?? .body(kind)
        return Route(
            method: method, path: PathPattern(path), summary: summary, right: .kind(kind), query: query, body: source.body,
            success: Success(
                status: location == nil ? .ok : .created, schema: kind.payload.resultSchema, mayBePending: true)
        ) { call in
            let (members, bytes) = try source.read(call)
            return try await send(
                kind, tenant: call.asker?.tenant?.slug, members: members, bytes: bytes, status: location == nil ? .ok : .created,
                call
            ) { location?(call, $0, members) }
        }
    }

    /// Sends a job and turns its outcome into an answer.
    static func send(
        _ kind: Kind, tenant: String?, members: [String: JSONValue], bytes: [UInt8]? = nil, status: HTTPResponse.Status,
        _ call: Call,
        location: (JSONValue) -> String? = { _ in nil }
    ) async throws -> RouteResult {
        let wait = Preference(call.headers, makesSecret: kind.makesSecret)
        let id = try idempotencyKey(call.headers)
        try kind.check(members)
        if let text = call.headers[.ifMatch] {
            guard kind.takesPrecondition else {
                throw Problem.parameter("If-Match", "is not taken: nothing here has an entity tag")
            }
            guard Precondition(text) != nil else { throw Problem.parameter("If-Match", "must be *, or entity tags in quotes") }
        }
        let body = bytes ?? JSONValue.object(members).serialised()
        guard body.count <= kind.bodyLimitBytes else { throw Problem.tooLarge(kind.bodyLimitBytes) }
        let order = JobGateway.Order(
            kind: kind, id: id, tenant: tenant, body: body, ifMatch: call.headers[.ifMatch],
            traceparent: call.headers[HTTPField.Name("traceparent")!], waitSeconds: wait.seconds)
        var headers: HTTPFields = [HTTPField.Name("Idempotency-Key")!: id]
        if let applied = wait.applied { headers[HTTPField.Name("Preference-Applied")!] = applied }
        do {
            switch try await call.services.jobs.send(order, as: try call.caller) {
            case .pending: return pending(order, headers)
            case .answered(let answer):
                if let error = answer.error { throw error }
                let result = answer.result ?? .object([:])
                if answer.duplicate { headers[HTTPField.Name("Idempotency-Replayed")!] = "true" }
                headers[.location] = location(result)
                return .json(status, result, headers)
            }
        } catch let rejection as Rejection {
            var problem = pathNames(rejection.field, members, call) ? .notFound(rejection.message) : Problem(rejection)
            problem.headers.merge(headers.map { ($0.name, $0.value) }) { $1 }
            throw problem
        } catch var problem as Problem {
            problem.headers.merge(headers.map { ($0.name, $0.value) }) { $1 }
            throw problem
        }
    }

    /// Whether a field of the payload that is to blame is one that the path says: then nothing is at this path.
    private static func pathNames(_ field: String?, _ members: [String: JSONValue], _ call: Call) -> Bool {
        guard let field, field.first == "/", case .string(let value)? = members[String(field.dropFirst())] else { return false }
        return call.names.values.contains(value)
    }

    private static func pending(_ order: JobGateway.Order, _ headers: HTTPFields) -> RouteResult {
        var headers = headers
        headers[.location] = "/v1/jobs/\(RequestTarget.encode(order.id))"
        let record: JSONValue = [
            "job_id": .string(order.id), "kind": .string(order.kind.name), "tenant": order.tenant.map { .string($0) } ?? .null,
            "status": "pending", "duplicate": false, "result": .null, "error": .null,
            "sent_at": .string(RFC3339.text(SystemClock.nowMicroseconds())),
        ]
        return .json(.accepted, record, headers)
    }

    /// The header `Idempotency-Key`, which is the job's id; a new one where there is none.
    private static func idempotencyKey(_ headers: HTTPFields) throws(Problem) -> String {
        let name = HTTPField.Name("Idempotency-Key")!
        guard let given = headers[name] else { return JobRequest.newID() }
        guard headers[values: name].count == 1, (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .parameter("Idempotency-Key", "must be 1 to 128 characters of ASCII, without spaces") }
        return given
    }
}

/// How long the client waits for an answer: `Prefer: wait=N` (RFC 7240).
struct Preference {
    let seconds: Int
    /// What was done about it.
    let applied: String?

    static let standardSeconds = 10
    static let mostSeconds = 30

    /// - Parameter makesSecret: whether the answer shows a secret, once: whoever did not wait for it would never have it.
    init(_ headers: HTTPFields, makesSecret: Bool) {
        let wishes = headers[values: HTTPField.Name("Prefer")!].joined(separator: ",").split { $0 == "," || $0 == ";" }
        let wish = wishes.map { $0.trimmed.lowercased() }.first { $0.hasPrefix("wait=") }
        let digits = wish?.dropFirst(5)
        let isNumber = digits.map { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } } ?? false
        let number = isNumber ? digits.flatMap { Int($0) } ?? .max : nil
        seconds = makesSecret ? Self.standardSeconds : min(number ?? Self.standardSeconds, Self.mostSeconds)
        applied = number == nil ? nil : "wait=\(seconds)"
    }
}
