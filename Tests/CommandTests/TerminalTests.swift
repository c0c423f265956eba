internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("What others have written does not steer the terminal of whoever reads it")
struct TerminalTests {
    @Test("names, messages and dead letters are shown with their control characters written out")
    func escapes() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let name = #"\u001b[2J\u009b31m\u202eevil"#
        let made = try fleet.ask("tenant.create", #"{"slug":"shop","display_name":"\#(name)"}"#, token: account)
        #expect(made.status == .succeeded)
        _ = try fleet.ask("tenant.update", #"{"settings":{"\#(name)":"\#(name)"}}"#, tenant: "shop", token: account)
        _ = try fleet.ask("token.issue", #"{"name":"\#(name)","scopes":["\#(name)"]}"#, token: account, id: "dead") {
            $0.headers["x-note"] = .text("\u{1B}]0;title\u{07}")
            $0.correlationID = "\u{1B}c"
        }
        try await eventually("the letter is there") { try fleet.broker.inspectQueue(Topology.deadQueue)?.messageCount == 1 }
        await fleet.stop()
        let environment = ["TENANTRY_DATABASE_URL": fleet.databaseURL, "TENANTRY_AMQP_URL": fleet.brokerURL]
        for line in ["tenant list", "tenant show shop", "audit list", "dead list", "dead show dead", "tenant list --format json"]
        {
            let ended = try await Program(
                Program.tenantry, line.split(separator: " ").map { String($0) }, environment: environment
            ).end()
            #expect(ended.status == 0, "\(line): \(ended.errors)")
            let wild = ended.output.unicodeScalars.filter { !PrintableText.isPrintable($0) && $0 != "\n" && $0 != "\t" }
            #expect(wild.isEmpty, "\(line): \(wild.map(\.value))")
        }
        let shown = try await Program(Program.tenantry, ["tenant", "list"], environment: environment).end()
        #expect(shown.output.contains(name))
    }
}
