internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Webhooks

/// Messages are verified by the public library of Standard Webhooks, and over TLS.
@Suite struct ForeignReceiverTests {
    @Test func `The public library verifies what is sent, with either secret after a rotation, and with no other`() async throws {
        let stage = try await WebhookStage()
        let receiver = try await ForeignReceiver()
        let webhook = try stage.webhook("http://127.0.0.1:\(receiver.port)/x")
        try receiver.expect(webhook.secret)
        try await stage.dispatching {
            try stage.happen()
            try await eventually("came") { receiver.calls.count == 1 }
            let rotated = try stage.ask("webhook.rotate", ["webhook": .string(webhook.id)])
            guard case .string(let secret)? = rotated.result?["secret"] else { throw TestFailure("\(rotated)") }
            try stage.happen()
            try await eventually("came") { receiver.calls.count == 2 }
            try receiver.expect(secret)
            try stage.happen()
            try await eventually("came") { receiver.calls.count == 3 }
            try receiver.expect(WebhookSecret.make().text)
            try stage.happen()
            try await eventually("came") { receiver.calls.count == 4 }
        }
        let calls = receiver.calls
        #expect(calls.prefix(3).allSatisfy { $0.event?["type"] == "tenantry.tenant.updated" }, "\(calls)")
        #expect(calls[3].event == nil && calls[3].error?.contains("WebhookVerificationError") == true)
    }

    @Test func `Over TLS a certificate must hold for the name, by an authority that is trusted`() async throws {
        let stage = try await WebhookStage()
        let (authority, stranger) = (try Authority(), try Authority())
        let good = try await ForeignReceiver(certificate: try authority.certificate("localhost"))
        let other = try await ForeignReceiver(certificate: try authority.certificate("elsewhere.example"))
        let unknown = try await ForeignReceiver(certificate: try stranger.certificate("localhost"))
        let webhooks = try [good, other, unknown].map { try stage.webhook("https://localhost:\($0.port)/tls") }
        try good.expect(webhooks[0].secret)
        try stage.happen()
        try await stage.dispatching(stage.options(certificateFiles: [authority.file])) {
            try await eventually("all tried") {
                try stage.query("select count(*)::text from tenantry.webhook_deliveries where attempt = 0") == [["0"]]
            }
        }
        #expect(try stage.deliveries(webhooks[0].id) == ["succeeded 1 204"])
        #expect(good.calls.count == 1 && good.calls[0].event != nil)
        for (index, receiver) in [(1, other), (2, unknown)] {
            #expect(try stage.deliveries(webhooks[index].id) == ["pending 1 -"])
            #expect(receiver.calls.isEmpty)
            let error = try stage.query("select error from tenantry.webhook_deliveries where webhook = '\(webhooks[index].id)'")
            #expect(error[0][0].localizedCaseInsensitiveContains("certificate"), "\(error)")
        }
    }

    @Test func `Without TLS nothing goes to where TLS is, and no file of authorities that is none is taken`() async throws {
        let stage = try await WebhookStage()
        await #expect(throws: (any Error).self) {
            try await stage.dispatching(stage.options(certificateFiles: ["/nowhere.pem"])) {}
        }
        let authority = try Authority()
        let receiver = try await ForeignReceiver(certificate: try authority.certificate("localhost"))
        let webhook = try stage.webhook("http://localhost:\(receiver.port)/plain")
        try stage.happen()
        try await stage.dispatching {
            try await eventually("tried") { try stage.deliveries(webhook.id) == ["pending 1 -"] }
        }
        #expect(receiver.calls.isEmpty)
    }
}
