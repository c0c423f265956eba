internal import API
internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// What a page shows, as CSV or JSON: the API's own answers.
enum FileAnswer {
    enum Form {
        case csv, json

        var ending: String { self == .csv ? ".csv" : ".json" }

        init?(ending name: String) {
            if name.hasSuffix(".csv") { self = .csv } else if name.hasSuffix(".json") { self = .json } else { return nil }
        }

        /// By the header `Accept`, where it does not ask for a page.
        init?(accept: String?) {
            guard let accept = accept?.lowercased(), !accept.contains("text/html") else { return nil }
            if accept.hasPrefix("text/csv") {
                self = .csv
            } else if accept.hasPrefix("application/json") {
                self = .json
            } else {
                return nil
            }
        }
    }

    /// As CSV the first of a page's answers, as JSON all of them, by their names where there are several.
    static func response(_ route: PageRoute, _ call: PageCall, _ form: Form) async throws -> Response {
        let sources = route.sources(call)
        do {
            if form == .csv || sources.count == 1 { return try await one(sources[0], call, form) }
            var members: [String: JSONValue] = [:]
            for source in sources {
                switch try await call.reply(LocalAPI.Request(.get, source.target)) {
                case .list(let rows, _, _): members[source.name] = .array(rows)
                case .json(_, let value, _): members[source.name] = value
                default: break
                }
            }
            let bytes = ByteBuffer(bytes: JSONValue.object(members).serialised())
            return Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: bytes))
        } catch let failure as LocalAPI.Failure {
            return problem(failure.status, failure.code, failure.detail)
        }
    }

    static func problem(_ status: Int, _ code: String, _ detail: String) -> Response {
        let problem: JSONValue = [
            "type": "about:blank", "status": .int(Int64(status)),
            "title": .string(HTTPResponse.Status(code: status).reasonPhrase),
            "code": .string(code.lowercased().replacing(" ", with: "_")), "detail": .string(detail),
        ]
        return Response(
            status: .init(code: status), headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: problem.serialised())))
    }

    private static func one(_ source: PageRoute.Source, _ call: PageCall, _ form: Form) async throws -> Response {
        var request = LocalAPI.Request(.get, source.target)
        request.headers[.accept] = form == .csv ? "text/csv" : "application/json"
        let (bytes, type) = LocalAPI.file(try await call.reply(request), asCSV: form == .csv)
        var headers: HTTPFields = [.contentType: type]
        if form == .csv { headers[.contentDisposition] = "attachment; filename=\"\(source.name).csv\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }

    /// Something to be kept as a file.
    ///
    /// - Parameter name: of ASCII letters, digits, dots and hyphens.
    static func download(_ reply: LocalAPI.Reply, name: String) -> Response {
        let disposition = "attachment; filename=\"\(name)\""
        switch reply {
        case .stream(let type, let body):
            return Response(status: .ok, headers: [.contentType: type, .contentDisposition: disposition], body: body)
        case .bytes(let bytes, let type) where type.hasPrefix("text/html"):
            // A page of its own, to be printed; it has its style in itself.
            return Response(
                status: .ok,
                headers: [
                    .contentType: type,
                    .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
                ], body: ResponseBody(byteBuffer: bytes))
        default:
            let (bytes, type) = LocalAPI.file(reply, asCSV: false)
            return Response(
                status: .ok, headers: [.contentType: type, .contentDisposition: disposition],
                body: ResponseBody(byteBuffer: bytes))
        }
    }
}
