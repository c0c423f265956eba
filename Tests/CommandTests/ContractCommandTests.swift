internal import Contract
internal import Foundation
internal import Testing

/// What `tenantry contract` prints, looked at by a validator that is not ours.
@Suite("The published contract")
struct ContractCommandTests {
    @Test("is an AsyncAPI 3.0 document, its schemas are JSON Schemas, and they take and refuse what the fleet takes and refuses")
    func isValid() async throws {
        let printed = try await Program.tenantry("contract")
        #expect(printed.status == 0 && printed.output == AsyncAPIDocument.render())
        let ended = try await Program(
            try await Program.python(), [Program.wire("check_contract.py")], input: Data(printed.output.utf8)
        ).end()
        try #require(ended.status == 0, "\(ended.errors)")
        let report = try #require(try ended.json() as? [String: Any])
        #expect(report["document"] as? [String] == [])
        #expect(report["schemas"] as? [String] == [])
        #expect(report["disagreements"] as? [String] == [])
        #expect(try #require(report["examples"] as? Int) > 200)
        // The validator is no rubber stamp: it noticed everything that was broken.
        #expect(report["unnoticed"] as? [String] == [])
        #expect(try #require(report["broken"] as? Int) > 10)
    }

    @Test("of the HTTP API is an OpenAPI 3.1 document")
    func openAPI() async throws {
        let printed = try await Program.tenantry("contract", "--http")
        try #require(printed.status == 0)
        let script = """
            import json, sys
            from openapi_spec_validator import validate
            document = json.load(sys.stdin)
            validate(document)
            document["paths"]["/v1/me"]["get"]["responses"] = 3
            try:
                validate(document)
            except Exception:
                print("noticed")
            """
        let ended = try await Program(try await Program.python(), ["-c", script], input: Data(printed.output.utf8)).end()
        #expect(ended.status == 0 && ended.output == "noticed\n", "\(ended.output) \(ended.errors)")
    }
}

extension Program {
    /// A file of `Tests/Wire`.
    static func wire(_ name: String) -> String { repository.appending(path: "Tests/Wire/\(name)").path }
}
