internal import Contract
internal import Hummingbird
internal import NIOCore

/// Reads a request's body, within its bounds.
enum RequestBodyReader {
    /// How long a body may be under way.
    static let seconds = 60.0

    /// - Throws: `Problem`: 413 beyond the route's bound, whether the length was told or not; 415 for an encoding; 408 if it does not come.
    static func read(_ request: Request, _ expected: RequestBody?) async throws -> ByteBuffer {
        let hasBody = request.headers[.contentLength] != nil || request.headers[.transferEncoding] != nil
        if !hasBody { return ByteBuffer() }
        let most = expected?.mostBytes ?? Kind.standardBodyLimitBytes
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem.unsupportedMediaType("a Content-Encoding is not taken: send the body as it is")
        }
        if let told = request.headers[.contentLength].flatMap({ Int($0) }), told > most { throw Problem.tooLarge(most) }
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask {
                do {
                    return try await request.body.collect(upTo: most)
                } catch is NIOTooManyBytesError {
                    throw Problem.tooLarge(most)
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw Problem(
                    status: .requestTimeout, code: "request_timeout", detail: "the body did not come within \(Int(seconds)) s")
            }
            defer { group.cancelAll() }
            guard let body = try await group.next() else { throw CancellationError() }
            return body
        }
    }
}
