internal import Contract
internal import Hummingbird
internal import NIOCore

/// Reads a request's body, within its bounds.
enum RequestBodyReader {
    /// - Parameters:
    ///   - most: bytes that it may have.
    ///   - seconds: how long it may be under way.
    /// - Throws: `Problem`: 413 beyond its bound, whether the length was told or not; 415 for an encoding; 408 if it does not come.
    /// - Returns: the bytes, and how many of the budget are to be given back when they are done with.
    static func read(
        _ request: Request, most: Int, _ budget: BodyBudget, within seconds: Double
    ) async throws -> (bytes: ByteBuffer, reserved: Int) {
        let hasBody = request.headers[.contentLength] != nil || request.headers[.transferEncoding] != nil
        if !hasBody { return (ByteBuffer(), 0) }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem.unsupportedMediaType("a Content-Encoding is not taken: send the body as it is")
        }
        let told = request.headers[.contentLength].flatMap { Int($0) }
        if let told, told > most { throw Problem.tooLarge(most) }
        let reserved = max(0, told ?? most)
        try budget.take(reserved)
        do {
            return (try await collect(request, most, within: seconds), reserved)
        } catch {
            budget.giveBack(reserved)
            throw error
        }
    }

    private static func collect(_ request: Request, _ most: Int, within seconds: Double) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask {
                do {
                    return try await request.body.collect(upTo: most)
                } catch is NIOTooManyBytesError {
                    throw Problem.tooLarge(most)
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw Problem.timeout("the body", seconds)
            }
            defer { group.cancelAll() }
            guard let body = try await group.next() else { throw CancellationError() }
            return body
        }
    }
}
