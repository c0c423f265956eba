internal import API
internal import Contract
internal import Foundation
internal import HTTPTypes
internal import Jobs
internal import NIOCore

/// A request for a page, from somebody who is signed in, and the way to the API in their name.
struct PageCall: Sendable {
    let site: Site
    let visitor: Visitor
    /// The path, as it was asked for.
    let path: String
    /// The names in the path.
    let names: [String: String]
    /// What stands behind the `?`, in order.
    let query: [(name: String, value: String)]
    /// What was sent; empty for a page that is only shown.
    var form = FormData()
    /// Why what was sent was refused: the page shows it with all that was typed.
    var failure: LocalAPI.Failure?
    /// Where the other end is.
    let address: String

    func name(_ name: String) -> String { names[name] ?? "" }

    /// A parameter of the query that is not empty.
    subscript(_ name: String) -> String? {
        query.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    // MARK: The API

    /// A target of the API: a path of literals and names, and parameters, of which nil and empty ones are left out.
    static func target(_ parts: [String], _ parameters: [(String, String?)] = []) -> String {
        let path = "/v1/" + parts.map { RequestTarget.encode($0) }.joined(separator: "/")
        let given = parameters.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "\(name)=\(RequestTarget.encode($0))" }
        }
        return given.isEmpty ? path : path + "?" + given.joined(separator: "&")
    }

    /// The same, with parameters of this page's query passed on under their names.
    func target(_ parts: [String], passing names: [String], _ more: [(String, String?)] = []) -> String {
        Self.target(parts, names.flatMap { name in query.filter { $0.name == name }.map { (name, $0.value) } } + more)
    }

    func reply(_ request: LocalAPI.Request) async throws -> LocalAPI.Reply {
        try await site.api.answer(request, as: visitor.bearer, from: address)
    }

    /// One thing.
    func get(_ target: String) async throws -> JSONValue {
        switch try await reply(LocalAPI.Request(.get, target)) {
        case .json(_, let value, _): value
        default: .null
        }
    }

    /// One thing, or nil where there is none, or it is not for these eyes.
    func find(_ target: String) async throws -> JSONValue? {
        do { return try await get(target) } catch let failure as LocalAPI.Failure where [403, 404].contains(failure.status) {
            return nil
        }
    }

    /// A page of a list.
    func list(_ target: String) async throws -> Listed {
        switch try await reply(LocalAPI.Request(.get, target)) {
        case .list(let rows, _, let next): Listed(rows: rows, next: next)
        default: Listed(rows: [], next: nil)
        }
    }

    /// Sends JSON.
    ///
    /// - Returns: what was answered, and whether it is only that the job is under way.
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSONValue? = nil, headers: HTTPFields = [:]
    ) async throws -> Sent {
        var request = LocalAPI.Request(method, target)
        request.headers = headers
        if let body {
            request.body = ByteBuffer(bytes: body.serialised())
            request.headers[.contentType] = request.headers[.contentType] ?? "application/json"
        }
        return try await send(request)
    }

    func send(_ request: LocalAPI.Request) async throws -> Sent {
        switch try await reply(request) {
        case .json(let status, let value, _): Sent(result: value, isPending: status == 202)
        default: Sent(result: .null, isPending: false)
        }
    }

    struct Sent: Sendable {
        let result: JSONValue
        let isPending: Bool

        /// Where to go on: to a page, or to the job that is still under way.
        func next(_ path: String, _ notice: Notice) -> PageAnswer {
            if isPending, let id = result["job_id"]?.text { return .redirect("/jobs/\(RequestTarget.encode(id))", nil) }
            return .redirect(path, notice)
        }
    }

    struct Listed: Sendable {
        let rows: [JSONValue]
        let next: String?
    }

    // MARK: This page's address

    /// This page with some parameters changed; nil takes one away.
    func link(_ changes: [(String, String?)]) -> String {
        var parameters = query.filter { item in item.name != "done" && !changes.contains { $0.0 == item.name } }
        for case (let name, let value?) in changes { parameters.append((name, value)) }
        let text = parameters.map { "\($0.name)=\(RequestTarget.encode($0.value))" }.joined(separator: "&")
        return text.isEmpty ? path : "\(path)?\(text)"
    }
}

extension LocalAPI.Failure {
    /// A refusal of a field of a form.
    static func field(_ name: String, _ detail: String) -> LocalAPI.Failure {
        LocalAPI.Failure(status: 422, code: "invalid_payload", detail: detail, field: "/\(name)")
    }
}
