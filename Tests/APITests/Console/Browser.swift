internal import AsyncHTTPClient
internal import Contract
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import TestSupport

@testable internal import API
@testable internal import Console

/// Somebody at the console: keeps the cookie, and follows no redirect by itself.
final class Browser {
    private let stage: APIStage
    var cookie: String?

    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))

    init(_ stage: APIStage) {
        self.stage = stage
    }

    func get(_ path: String, accept: String = "text/html", headers: [String: String] = [:]) async throws -> APIStage.Response {
        try await send(.GET, path, nil, headers.merging(["Accept": accept]) { $1 })
    }

    /// Sends a form.
    func post(_ path: String, _ fields: [(String, String)], headers: [String: String] = [:]) async throws -> APIStage.Response {
        let body = fields.map { "\(RequestTarget.encode($0))=\(RequestTarget.encode($1))" }.joined(separator: "&")
        return try await send(
            .POST, path, Array(body.utf8),
            ["Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Sec-Fetch-Site": "same-origin"]
                .merging(headers) { $1 })
    }

    func send(_ method: HTTPMethod, _ path: String, _ bytes: [UInt8]?, _ headers: [String: String]) async throws
        -> APIStage.Response
    {
        var request = HTTPClientRequest(url: stage.origin + path)
        request.method = method
        if let cookie { request.headers.add(name: "Cookie", value: cookie) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let bytes { request.body = .bytes(bytes) }
        let response = try await Self.client.execute(request, timeout: .seconds(60))
        if let set = response.headers.first(name: "Set-Cookie") {
            let pair = String(set.prefix { $0 != ";" })
            cookie = pair.hasSuffix("=") ? nil : pair
        }
        let body = try await response.body.collect(upTo: 8 << 20)
        return APIStage.Response(status: Int(response.status.code), headers: response.headers, body: String(buffer: body))
    }

    /// What a live page sends: the first events, or as many as come until one is right.
    func follow(_ path: String, until isRight: @escaping @Sendable (JSONValue) -> Bool, meanwhile: () async throws -> Void)
        async throws
    {
        var request = HTTPClientRequest(url: stage.origin + path)
        request.headers.add(name: "Accept", value: "text/event-stream")
        if let cookie { request.headers.add(name: "Cookie", value: cookie) }
        let response = try await Self.client.execute(request, timeout: .seconds(60))
        guard response.status == .ok, response.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") == true else {
            throw TestFailure("\(response.status)")
        }
        var text = ""
        var isStarted = false
        for try await chunk in response.body {
            if !isStarted {
                isStarted = true
                try await meanwhile()
            }
            text += String(buffer: chunk)
            while let end = text.range(of: "\n\n") {
                let event = text[..<end.lowerBound]
                text = String(text[end.upperBound...])
                guard event.hasPrefix("data: ") else { continue }
                if isRight(try JSONValue(parsing: Array(event.dropFirst(6).utf8))) { return }
            }
        }
        throw TestFailure("the stream has ended")
    }

    /// Signs in with a credential.
    func signIn(_ credential: String) async throws {
        let answer = try await post("/sign-in", [("form", "credential"), ("credential", credential)])
        guard answer.status == 303, cookie != nil else { throw TestFailure("\(answer.status) \(answer.body)") }
    }
}

extension APIStage.Response {
    /// The page's text, without its elements.
    var text: String {
        body.replacing(/<[^>]*>/, with: " ").replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing(
            "&quot;", with: "\""
        )
        .replacing("&#39;", with: "'").replacing("&amp;", with: "&")
    }
}
