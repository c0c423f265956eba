internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Postgres

/// Why a request is refused: RFC 9457's `application/problem+json`.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// As over AMQP, and what only HTTP knows.
    let code: String
    let detail: String
    /// A JSON Pointer into the body.
    var field: String?
    /// The query parameter or header that is wrong.
    var parameter: String?
    /// More members of the object.
    var more: [String: JSONValue] = [:]
    var headers: [HTTPField.Name: String] = [:]

    /// The object.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .int(Int64(status.code)),
            "detail": .string(detail), "code": .string(code),
        ]
        if let field { members["field"] = .string(field) }
        if let parameter { members["parameter"] = .string(parameter) }
        return .object(members.merging(more) { $1 })
    }

    static let mediaType = "application/problem+json"

    static let schema: JSONValue = [
        "type": "object", "required": ["type", "title", "status", "detail", "code"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
            "detail": ["type": "string", "description": "A sentence for a person."],
            "code": ["type": "string", "description": "What programs go by."],
            "field": ["type": "string", "description": "A JSON Pointer into the body."],
            "parameter": ["type": "string", "description": "The query parameter or header that is wrong."],
            "metric": ["type": ["string", "null"]], "limit": ["type": ["integer", "string", "null"]],
            "value": ["type": ["integer", "string", "null"]], "mode": ["type": ["string", "null"]],
            "resets_at": ["type": ["string", "null"], "format": "date-time"],
        ],
    ]
}

extension Problem {
    /// What a job was rejected for.
    init(_ rejection: Rejection) {
        self.init(status: Self.status(of: rejection.code), code: rejection.code.rawValue, detail: rejection.message)
        field = rejection.field
        if case .object(let limit)? = rejection.limit?.json { more = limit }
        if rejection.code == .unauthenticated { headers[.wwwAuthenticate] = "Bearer" }
    }

    /// What an error is to whoever asked.
    init(of error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let rejection as Rejection: self.init(rejection)
        case is BrokerAway: self = .unavailable("the broker cannot be reached")
        case let error as PostgresError where error.fault == .server || error.fault == .environment:
            self = .unavailable("the database cannot do it now", retryAfterSeconds: 5)
        case let error as PostgresError where error.fault == .time || error.fault == .collision:
            self = .unavailable("the database was too busy")
        default:
            self.init(
                status: .internalServerError, code: "internal_error",
                detail: "this is a fault of the server, which has noted it")
        }
    }

    private static func status(of code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .malformedJSON: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .accountUnknown, .tenantUnknown, .unknownKind: .notFound
        case .conflict, .slugTaken, .tenantSuspended, .limitReached: .conflict
        case .preconditionFailed: .preconditionFailed
        case .payloadTooLarge: .contentTooLarge
        case .invalidPayload, .tooSlow: .unprocessableContent
        case .retriesExhausted, .crashLoop: .internalServerError
        }
    }

    static let unauthenticated = Problem(
        Rejection(.unauthenticated, "a credential is needed that holds: Authorization: Bearer <key>.<secret>"))

    static func notFound(_ what: String) -> Problem { Problem(status: .notFound, code: "not_found", detail: what) }

    /// The same for a name of somebody else's and for one that does not exist.
    static func noTenant(_ slug: String) -> Problem { Problem(Rejection(.tenantUnknown, "there is no tenant \(slug)")) }

    static func noAccount(_ slug: String) -> Problem { Problem(Rejection(.accountUnknown, "there is no account \(slug)")) }

    /// A query parameter or a header that cannot be read.
    static func parameter(_ name: String, _ what: String) -> Problem {
        var problem = Problem(status: .badRequest, code: "invalid_parameter", detail: "\(name) \(what)")
        problem.parameter = name
        return problem
    }

    static func methodNotAllowed(_ allowed: [String]) -> Problem {
        var problem = Problem(
            status: .methodNotAllowed, code: "method_not_allowed", detail: "this path takes \(allowed.joined(separator: ", "))")
        problem.headers[.allow] = allowed.joined(separator: ", ")
        return problem
    }

    static func notAcceptable(_ offered: [String]) -> Problem {
        Problem(
            status: .notAcceptable, code: "not_acceptable", detail: "this path answers \(offered.joined(separator: ", "))")
    }

    static func unsupportedMediaType(_ what: String) -> Problem {
        Problem(status: .unsupportedMediaType, code: "unsupported_media_type", detail: what)
    }

    static func tooLarge(_ most: Int) -> Problem {
        Problem(
            status: .contentTooLarge, code: ErrorCode.payloadTooLarge.rawValue,
            detail: "the body has more than \(most) bytes, the most that this path takes")
    }

    /// The headers of a request may have so many bytes together.
    static let mostHeaderBytes = 16 << 10

    static let headersTooLarge = Problem(
        status: .requestHeaderFieldsTooLarge, code: "headers_too_large",
        detail: "the headers have more than \(mostHeaderBytes) bytes")

    static func timeout(_ what: String, _ seconds: Double) -> Problem {
        Problem(
            status: .requestTimeout, code: "request_timeout", detail: "\(what) did not come within \(Int(seconds.rounded(.up))) s"
        )
    }

    static func unavailable(_ what: String, retryAfterSeconds: Int = 2) -> Problem {
        var problem = Problem(status: .serviceUnavailable, code: "unavailable", detail: "\(what); try again")
        problem.headers[.retryAfter] = "\(retryAfterSeconds)"
        return problem
    }

    static func rateLimited(_ what: String, retryAfterSeconds: Int) -> Problem {
        var problem = Problem(status: .tooManyRequests, code: "rate_limited", detail: what)
        problem.headers[.retryAfter] = "\(retryAfterSeconds)"
        return problem
    }
}
