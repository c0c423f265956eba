internal import Foundation
internal import Testing

/// The README's Swift: a program that is built with the tests.
@Suite("README.md's Swift")
struct SwiftExampleTests {
    @Test("it is the program that is built here, word for word")
    func text() throws {
        let file = Program.repository.appending(path: "Tests/ReadmeExample/main.swift")
        let built = try String(contentsOf: file, encoding: .utf8)
        let blocks = try Page.readme().blocks("swift")
        #expect(blocks.map { $0 + "\n" } == [built])
    }

    @Test("it opens an account and a tenant, logs a conversation, and sees the alert")
    func run() async throws {
        let instance = try await Instance.shared.value
        let example = URL(filePath: Program.tenantry).deletingLastPathComponent().appending(path: "ReadmeExample").path
        let ended = try await Program(example, [], environment: instance.environment).end()
        try #require(ended.status == 0, "\(ended.errors)")
        let printed = ended.output.split(separator: "\n")
        #expect(printed.count == 3, "\(ended.output)")
        #expect(printed.first?.contains("tenant_swift_") == true)
        #expect(printed.dropFirst().first?.contains("accepted") == true)
        #expect(printed.last == "tenantry.limit.warning 50 % 2 messages")
    }
}
