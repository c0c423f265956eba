internal import Foundation
internal import Testing

@Suite("tenantry template")
struct TemplateCommandTests {
    @Test("templates are listed with what they hold")
    func list() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("tpl")
        let token = try await instance.makeAccount(account)
        let documents = #"[{"external_id":"d","title":"t","media_type":"text/plain","content":"Eleven char"}]"#
        for body in [#"{"name":"full","settings":{"a":1,"b":2},"documents":\#(documents)}"#, #"{"name":"empty"}"#] {
            #expect(try await instance.ask("template.save", body, token: token)["status"] as? String == "succeeded")
        }
        let rows = try await instance.tenantry("template", "list", "--account", account, "--format", "json").rows()
        #expect(rows.map { $0["template"] as? String } == ["empty", "full"])
        for (column, counts) in [("settings", [0, 2]), ("documents", [0, 1]), ("chunks", [0, 1]), ("bytes", [0, 11])] {
            #expect(rows.map { $0[column] as? Int } == counts, "\(column)")
        }
        #expect(try await instance.tenantry("template", "list", "--account", account).output.hasPrefix("account "))
    }
}
