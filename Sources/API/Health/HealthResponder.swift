internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird

/// Three paths, exactly; all else is 404, and all but GET and HEAD 405. A router would be more than they need.
struct HealthResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let readiness: @Sendable () -> Readiness
    let metrics: PrometheusMetrics

    private struct LiveBody: Encodable {
        let live: Bool
    }

    private struct ReadyBody: Encodable {
        let ready: Bool
        /// Absent if there are none.
        let reasons: [String]?
        let details: [String: String]
    }

    private struct ErrorBody: Encodable {
        let error: String
        let paths: [String]
    }

    private static let paths = ["/live", "/metrics", "/ready"]

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path
        switch request.method {
        case .get: return try answer(path)
        case .head: return try answer(path).createHeadResponse()
        default:
            guard Self.paths.contains(path) else { return try notFound() }
            var refusal = try json(.methodNotAllowed, ErrorBody(error: "method_not_allowed", paths: Self.paths))
            refusal.headers[.allow] = "GET, HEAD"
            return refusal
        }
    }

    private func answer(_ path: String) throws -> Response {
        switch path {
        case "/live":
            let isLive = readiness().isLive
            return try json(isLive ? .ok : .serviceUnavailable, LiveBody(live: isLive))
        case "/ready":
            let now = readiness()
            return try json(
                now.isReady ? .ok : .serviceUnavailable,
                ReadyBody(ready: now.isReady, reasons: now.isReady ? nil : now.problems, details: now.details))
        case "/metrics":
            return response(.ok, type: ExpositionText.contentType, body: ByteBuffer(string: metrics.render()))
        default:
            return try notFound()
        }
    }

    private func notFound() throws -> Response {
        try json(.notFound, ErrorBody(error: "not_found", paths: Self.paths))
    }

    private func json(_ status: HTTPResponse.Status, _ body: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return response(status, type: "application/json", body: ByteBuffer(bytes: try encoder.encode(body)))
    }

    private func response(_ status: HTTPResponse.Status, type: String, body: ByteBuffer) -> Response {
        // The answer is true for this moment only, so no proxy may keep it.
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"], body: ResponseBody(byteBuffer: body))
    }
}
