internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Webhooks

/// What the page for receivers shows in three languages takes a message of ours, and refuses one that was changed, signed by another, or is old.
@Suite struct ReceiverPageTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func block(_ language: String) throws -> String {
        let page = try String(
            contentsOf: repository.appending(path: "Sources/tenantry/tenantry.docc/Webhooks.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "```\(language)\n")
        guard parts.count == 2 else { throw TestFailure("\(parts.count - 1) blocks of \(language)") }
        return parts[1].components(separatedBy: "```")[0]
    }

    private struct Message {
        var secret: WebhookSecret
        var headers: [String: String]
        var body: String

        init(_ secret: WebhookSecret = .make(), secondsAgo: Int64 = 0, besides other: WebhookSecret? = nil) {
            let seconds = Int64(Date().timeIntervalSince1970) - secondsAgo
            self.secret = secret
            body = #"{"id":"e-1","type":"tenantry.tenant.created","data":{"tenant":"é"}}"#
            let bytes = Array(body.utf8)
            let signatures = ([other].compactMap { $0 } + [secret]).map {
                $0.signature(id: "e-1", seconds: seconds, body: bytes)
            }
            headers = [
                "webhook-id": "e-1", "webhook-timestamp": "\(seconds)", "webhook-signature": signatures.joined(separator: " "),
            ]
        }

        var json: JSONValue {
            [
                "secret": .string(secret.text), "headers": .object(headers.mapValues { .string($0) }), "body": .string(body),
            ]
        }
    }

    /// Messages, and whether each is to be taken.
    private static func messages() -> [(message: Message, isGood: Bool)] {
        var changed = Message()
        changed.body = changed.body.replacing("é", with: "e")
        var foreign = Message()
        foreign.secret = .make()
        var moved = Message()
        moved.headers["webhook-id"] = "e-2"
        return [
            (Message(), true), (Message(besides: .make()), true), (changed, false), (foreign, false), (moved, false),
            (Message(secondsAgo: 600), false), (Message(secondsAgo: -600), false),
        ]
    }

    private static func run(_ program: String, _ arguments: [String], input: JSONValue) throws -> Int32 {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        try pipe.fileHandleForWriting.write(contentsOf: Data(input.serialised()))
        try pipe.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func `Python's`() throws {
        let program =
            try Self.block("python") + """

                import json, sys
                message = json.load(sys.stdin)
                event = receive(message["secret"], message["headers"], message["body"].encode())
                assert event["data"]["tenant"] == "é"
                """
        for (message, isGood) in Self.messages() {
            let status = try Self.run(ForeignReceiver.python, ["-c", program], input: message.json)
            #expect((status == 0) == isGood, "\(message)")
        }
    }

    @Test func `JavaScript's`() throws {
        let program =
            try Self.block("javascript") + """

                const message = JSON.parse(require("node:fs").readFileSync(0));
                const event = receive(message.secret, message.headers, Buffer.from(message.body));
                if (event.data.tenant !== "é") process.exit(2);
                """
        for (message, isGood) in Self.messages() {
            let status = try Self.run("/usr/bin/env", ["node", "-e", program], input: message.json)
            #expect((status == 0) == isGood, "\(message)")
        }
    }

    @Test func `Swift's, which is the file that is compiled here`() throws {
        let file = Self.repository.appending(path: "Tests/WebhooksTests/ReceiverSnippet.swift")
        #expect(try String(contentsOf: file, encoding: .utf8) == Self.block("swift"))
        for (message, isGood) in Self.messages() {
            let event = try? receive(secret: message.secret.text, headers: message.headers, body: Data(message.body.utf8))
            #expect((event != nil) == isGood, "\(message)")
        }
    }
}
