internal import Foundation
internal import Testing

/// The HTTP API asked by its OpenAPI document alone, each time on servers of its own.
@Suite("The HTTP API's document", .serialized)
struct HTTPDocumentTests {
    @Test("every example in it works, is answered as the document says, and no body is without one")
    func examples() async throws {
        let instance = try await instance()
        let ended = try await Program(
            try await Program.python(), [Program.wire("http_examples.py")], environment: instance.environment
        ).end()
        try #require(ended.status == 0, "\(ended.errors)")
        let report = try #require(try ended.json() as? [String: Any])
        #expect(report["complaints"] as? [String] == [])
        #expect(report["without an example"] as? [String] == [])
        let operations = try #require(report["operations"] as? Int)
        #expect(operations >= 70 && (report["sent"] as? Int ?? 0) > operations)
    }

    @Test(
        "whatever schemathesis asks by it as a token, an account or an operator has an answer that the document has, and none is a fault"
    )
    func schemathesis() async throws {
        let instance = try await instance()
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("fuzz"))
        defer { try? FileManager.default.removeItem(at: folder) }
        let ended = try await Program(
            try await Program.python(), [Program.wire("fuzz_api.py"), folder.path, "--examples", "3"],
            environment: instance.environment
        ).end(within: 1_800)
        #expect(ended.status == 0, "\(ended.output) \(ended.errors)")
        print("schemathesis:", ended.output)
    }

    /// With the shipped plans and their prices; it is not the rate of requests that is tried.
    private func instance() async throws -> Instance {
        let instance = try await Instance(["TENANTRY_API_REQUESTS_PER_MINUTE": "10000000"])
        let plans = try await Program.tenantry(
            "plans", "apply", environment: instance.environment, in: Program.repository.path)
        try #require(plans.status == 0, "\(plans.errors)")
        return instance
    }
}
