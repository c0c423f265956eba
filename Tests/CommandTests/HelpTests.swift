internal import Foundation
internal import Testing

@Suite("Every command explains itself")
struct HelpTests {
    /// All commands. A new one is one line here; `all commands are listed` sees to it.
    static let commands = [
        "account", "account grant-stripe", "account list", "account resume", "account suspend", "account withdraw-stripe",
        "admin", "admin end-session", "admin list", "admin sessions", "admin sign-in", "alerts", "alerts list",
        "alerts replay", "alerts tail", "api", "audit", "audit list", "audit refused", "contract", "conversation",
        "conversation list", "conversation show", "corpus", "corpus list", "corpus search", "corpus show", "dead",
        "dead count", "dead discard", "dead list", "dead replay", "dead show", "dev", "dev reset", "dev start", "dev stop",
        "enqueue", "invoice", "invoice list", "invoice retry", "invoice show", "job", "job show", "load", "migrate",
        "operator", "operator issue", "operator list", "operator revoke", "plans", "plans apply", "plans list", "status",
        "template", "template list", "tenant", "tenant create-many", "tenant export", "tenant list", "tenant resume",
        "tenant set-plan", "tenant show", "tenant suspend", "token", "token list", "token revoke", "topology",
        "topology apply", "topology permissions", "usage", "usage show", "webhook", "webhook create", "webhook list",
        "webhook recover", "webhook remove", "webhook resend", "webhook rotate", "webhook show", "webhook test",
        "webhook update", "worker",
    ]

    private struct Tree: Decodable {
        struct Command: Decodable {
            var commandName: String
            var subcommands: [Command]?
        }
        var command: Command
    }

    @Test("all commands are listed here")
    func complete() async throws {
        let dump = try await Program.tenantry("--experimental-dump-help")
        let tree = try JSONDecoder().decode(Tree.self, from: Data(dump.output.utf8))
        func names(_ command: Tree.Command, _ prefix: String) -> [String] {
            (command.subcommands ?? []).filter { $0.commandName != "help" }.flatMap { child in
                [prefix + child.commandName] + names(child, prefix + child.commandName + " ")
            }
        }
        #expect(names(tree.command, "").sorted() == Self.commands)
    }

    @Test("--help says what a command does and ends with 0", arguments: commands)
    func help(_ command: String) async throws {
        let ended = try await Program(Program.tenantry, command.split(separator: " ").map { String($0) } + ["--help"]).end()
        #expect(ended.status == 0)
        #expect(ended.output.hasPrefix("OVERVIEW: "))
        #expect(ended.output.contains("USAGE: tenantry \(command)"))
        #expect(ended.errors.isEmpty)
    }

    @Test("an unknown option is a mistake in the call: 64, with the way to help", arguments: commands)
    func unknownOption(_ command: String) async throws {
        let ended = try await Program(Program.tenantry, command.split(separator: " ").map { String($0) } + ["--bogus"]).end()
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains("Error: "))
        #expect(ended.errors.contains("--help"))
    }

    @Test(
        "a value out of bounds is a mistake in the call",
        arguments: [
            "dead list --limit=-1", "dead list --limit 0", "alerts list --limit=-5", "alerts tail --count 0",
            "alerts tail --timeout inf",
            "alerts tail --timeout=-1", "enqueue account.create --timeout 1e300", "enqueue account.create --timeout nan",
            "migrate --parallel 0",
            "corpus search a b --limit x", "worker --lanes 0", "worker --http-port 65536", "worker --http-port x",
            "dev --amqp-port=-1",
            "status --format xml", "corpus list a --cursor !", "corpus list a --state gone",
            "conversation list a --from yesterday",
            "conversation list a --rating 2", "admin sessions a --limit 0", "alerts replay --since yesterday", "dead replay",
            "dead discard", "enqueue", "corpus search a",
        ])
    func bounds(_ call: String) async throws {
        let ended = try await Program(Program.tenantry, call.split(separator: " ").map { String($0) }).end()
        #expect(ended.status == 64, "\(ended)")
        #expect(ended.errors.hasPrefix("Error: "))
    }
}
