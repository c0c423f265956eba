internal import Contract
internal import HTTPTypes
internal import Jobs

/// The OpenAPI 3.1 document of the HTTP API (<https://spec.openapis.org/oas/v3.1.0>), made from the list of its routes: no route exists
/// outside it.
public enum OpenAPIDocument {
    /// The document as JSON, names in order: the same code gives the same bytes.
    public static func render() -> String { document.pretty() + "\n" }

    static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Tenantry", "version": "1.0.0",
            "description": """
            Tenants of chatbots, for whoever has no AMQP client. What changes something is a job of the fleet, with the same effect, \
            answer and errors as over AMQP; its Idempotency-Key is the job's id.
            """,
        ],
        "servers": [["url": "/", "description": "Where this document was read."]],
        "security": [["credential": []]],
        "paths": paths,
        "components": [
            "securitySchemes": [
                "credential": [
                    "type": "http", "scheme": "bearer", "bearerFormat": "<key>.<secret>",
                    "description": "Of an operator, an account, an administrator or a token; POST /v1/session makes one.",
                ]
            ],
            "schemas": ["problem": Problem.schema, "job": JobRecord.representation.schema],
            "responses": [
                "problem": [
                    "description": "Why not. `code` is what programs go by, as over AMQP.",
                    "content": .object([Problem.mediaType: ["schema": reference("schemas/problem")]]),
                ]
            ],
            "parameters": headers,
        ],
    ]

    private static func reference(_ path: String) -> JSONValue { ["$ref": .string("#/components/\(path)")] }

    private static var paths: JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in Routes.all {
            paths[route.path.text, default: [:]][route.method.rawValue.lowercased()] = operation(of: route)
        }
        return .object(paths.mapValues { .object($0) })
    }

    private static func operation(of route: Route) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .string(identifier(of: route)), "summary": .string(route.summary), "tags": [.string(tag(of: route))],
            "parameters": .array(parameters(of: route)), "responses": responses(of: route), "description": .string(who(route)),
        ]
        if case .open = route.right { operation["security"] = [] }
        if let body = route.body {
            operation["requestBody"] = ["required": .bool(body.isRequired), "content": content(of: body)]
        }
        return .object(operation)
    }

    static func identifier(of route: Route) -> String {
        let words = route.path.segments.dropFirst().map { segment in
            switch segment {
            case .literal(let text): text
            case .name(let name): "by-\(name)"
            }
        }
        return ([route.method.rawValue.lowercased()] + words).joined(separator: "-")
    }

    private static func tag(of route: Route) -> String {
        guard route.path.segments.count > 1, case .literal(let first) = route.path.segments[1] else { return "api" }
        if first == "tenants", route.path.segments.count > 3, case .literal(let second) = route.path.segments[3] { return second }
        return first
    }

    private static func who(_ route: Route) -> String {
        let access: Access
        switch route.right {
        case .open: return "For anybody."
        case .anyKind: return "For any credential, by what the kind takes."
        case .reading(let reading): access = reading.access
        case .kind(let kind): access = kind.access
        }
        var names = access.operator ? ["operators"] : []
        if access.account { names.append("the account") }
        if access.accountAdministrator { names.append("its administrators") }
        switch access.tenant {
        case .none: break
        case .administrator: names.append("the tenant's administrators")
        case .any: names.append("the tenant's administrators and tokens")
        case .scope(let scope): names.append("the tenant's administrators, and tokens with \(scope.rawValue)")
        }
        return "For " + names.joined(separator: ", ") + "."
    }

    // MARK: What a request has

    private static func parameters(of route: Route) -> [JSONValue] {
        let names = zip(route.path.names, PathNames.collections(of: route.path)).map { name, collection -> JSONValue in
            var parameter: [String: JSONValue] = [
                "name": .string(name), "in": "path", "required": true, "schema": ["type": "string", "minLength": 1],
            ]
            parameter["example"] = PathNames.known[collection]?.example.map { .string($0) }
            return .object(parameter)
        }
        let query = route.query.map { parameter -> JSONValue in
            var schema = parameter.schema
            if parameter.isRepeated { schema = ["type": "array", "items": schema] }
            var described: [String: JSONValue] = [
                "name": .string(parameter.name), "in": "query", "description": .string(parameter.summary), "schema": schema,
                "style": "form", "explode": true,
            ]
            described["example"] = parameter.example
            return .object(described)
        }
        var headers = route.success.mayBePending ? ["Idempotency-Key", "Prefer", "traceparent"] : []
        if takesPrecondition(route) { headers.append("If-Match") }
        if route.success.isTagged { headers.append("If-None-Match") }
        return names + query + headers.map { reference("parameters/\($0)") }
    }

    private static func takesPrecondition(_ route: Route) -> Bool {
        switch route.right {
        case .kind(let kind): kind.takesPrecondition
        // Whatever kind is sent.
        case .anyKind: route.success.mayBePending
        case .open, .reading: false
        }
    }

    private static let headers: JSONValue = [
        "Idempotency-Key": [
            "name": "Idempotency-Key", "in": "header",
            "description":
                "The job's id: the same request under the same key has one effect. A new one is made where there is none.",
            "schema": ["type": "string", "pattern": "^[!-~]{1,128}$"],
        ],
        "Prefer": [
            "name": "Prefer", "in": "header",
            "description": "`wait=N`: how many seconds to wait for the answer, 0 to 30; 10 if not said.",
            "schema": ["type": "string"], "example": "wait=20",
        ],
        "If-Match": [
            "name": "If-Match", "in": "header", "description": "An ETag: 412 if it has changed meanwhile.",
            "schema": ["type": "string"],
        ],
        "If-None-Match": [
            "name": "If-None-Match", "in": "header", "description": "An ETag: 304 if nothing has changed.",
            "schema": ["type": "string"],
        ],
        "traceparent": [
            "name": "traceparent", "in": "header", "description": "W3C trace context, passed on to the job.",
            "schema": ["type": "string"], "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ],
    ]

    private static func content(of body: RequestBody) -> JSONValue {
        var content: [String: JSONValue] = [:]
        for kind in body.content {
            switch kind {
            case .json(let schema, let example): content["application/json"] = ["schema": schema, "example": example]
            case .meaning(let type, let schema, let example): content[type] = ["schema": schema, "example": example]
            case .texts(let types, let example):
                for type in types { content[type] = ["schema": ["type": "string"]] }
                if let first = types.first { content[first] = ["schema": ["type": "string"], "example": .string(example)] }
            }
        }
        return .object(content)
    }

    // MARK: What is answered

    private static func responses(of route: Route) -> JSONValue {
        let success = route.success
        var headers: [String: JSONValue] = [:]
        func header(_ name: String, _ description: String) {
            headers[name] = ["description": .string(description), "schema": ["type": "string"]]
        }
        if success.isTagged { header("ETag", "Of what is shown.") }
        if success.status == .created { header("Location", "Where it is to be read.") }
        if success.isList { header("Link", "The next page: rel=\"next\".") }
        if success.mayBePending {
            header("Idempotency-Key", "The job's id.")
            header("Idempotency-Replayed", "`true`: it was done before, and this is the first answer.")
        }
        var response: [String: JSONValue] = [
            "description": .string(success.isList ? "A page of the list." : "Done."), "headers": .object(headers),
        ]
        let content = content(of: success)
        if !content.isEmpty { response["content"] = .object(content) }
        let links = PathNames.links(from: route)
        if !links.isEmpty { response["links"] = .object(links) }
        var responses: [String: JSONValue] = [
            "\(success.status.code)": .object(response), "default": reference("responses/problem"),
        ]
        for (status, schema) in success.also {
            responses["\(status.code)"] = ["description": "Done.", "content": ["application/json": ["schema": schema]]]
        }
        if success.isTagged { responses["304"] = ["description": "Nothing has changed."] }
        if success.mayBePending {
            responses["202"] = [
                "description": "The job is under way: Location tells what becomes of it.",
                "headers": ["Location": ["schema": ["type": "string"]], "Idempotency-Key": ["schema": ["type": "string"]]],
                "content": ["application/json": ["schema": reference("schemas/job")]], "links": ["outcome": PathNames.outcome],
            ]
        }
        return .object(responses)
    }

    private static func content(of success: Route.Success) -> [String: JSONValue] {
        var content: [String: JSONValue] = [:]
        if let schema = success.schema {
            content[Form.json.rawValue] = ["schema": success.isList ? page(of: schema) : schema]
        }
        if success.isList {
            for form in [Form.csv, .jsonLines, .newlineDelimitedJSON] { content[form.rawValue] = ["schema": ["type": "string"]] }
        }
        for type in success.otherTypes { content[type] = ["schema": ["type": "string"]] }
        return content
    }

    private static func page(of schema: JSONValue) -> JSONValue {
        [
            "type": "object", "required": ["data", "next"],
            "properties": [
                "data": ["type": "array", "items": schema],
                "next": ["type": ["string", "null"], "description": "The cursor of the next page; null: this is the last one."],
            ],
        ]
    }
}

/// Where the document is read.
enum OpenAPIRoutes {
    static let all: [Route] = [
        Route.read(
            "/v1/openapi.json", .open, schema: ["type": "object"], "This document."
        ) { _ in .json(.ok, OpenAPIDocument.document) }
    ]
}
