internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("What a user of the broker should be allowed to do")
struct TopologyPermissionsTests {
    private func call(_ arguments: String..., url: String? = nil) async throws -> Ended {
        try await Program(
            Program.tenantry, ["topology", "permissions"] + arguments, environment: url.map { ["TENANTRY_AMQP_URL": $0] } ?? [:]
        ).end()
    }

    @Test("is printed as calls of rabbitmqctl, for the virtual host of the URL, and no server is asked")
    func lines() async throws {
        let ended = try await call("acme-2", "--for", "producer", url: "amqp://nobody@127.0.0.1:1/a%20b")
        #expect(ended.status == 0)
        #expect(
            ended.output == """
                # add_user asks for the password.
                rabbitmqctl add_user acme-2
                rabbitmqctl set_permissions --vhost 'a b' acme-2 '^acme-2\\..*$' '^tenantry\\.jobs$' '^acme-2\\..*$'

                """)
        let both = try await call("acme")
        #expect(both.output.contains("--vhost '/' acme '^acme\\..*$'"))
        #expect(both.output.split(separator: "\n").count == 5)
        #expect(try await call("--for", "worker", "--user", "it's").output.contains(#"add_user 'it'\''s'"#))
    }

    @Test("is printed as JSON")
    func json() async throws {
        let ended = try await call("acme", "--format", "json", "--virtual-host", "v")
        let document = try JSONValue(parsing: Array(ended.output.utf8))
        #expect(document["user"] == "acme" && document["virtual_host"] == "v")
        guard case .array(let topics)? = document["topics"] else { throw TestFailure("no topics in \(ended.output)") }
        #expect(topics.map { $0["exchange"] } == ["tenantry.alerts", "tenantry.events"])
    }

    @Test("is not printed for what is no account, or for nobody")
    func mistakes() async throws {
        for (arguments, message) in [
            (["Acme"], "is not an account's slug"), ([".*"], "is not an account's slug"), ([], "which account?"),
            (["--for", "producer"], "which account?"), (["acme", "--for", "worker"], "belongs to no account"),
            (["acme", "--for", "king"], "producer, subscriber, worker or operator"),
        ] {
            let ended = try await Program(Program.tenantry, ["topology", "permissions"] + arguments).end()
            #expect(ended.status == 64 && ended.output.isEmpty && ended.errors.contains(message), "\(arguments): \(ended.errors)")
        }
    }
}
