internal import AMQP
internal import API
internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres

struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "Exchanges and queues on the broker, and who may use them.",
        subcommands: [Apply.self, Permissions.self])

    struct Apply: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Declares exchanges, queues and bindings; what is there already stays as it is.")

        @OptionGroup var server: ServerOptions

        func run(with settings: Settings) throws {
            var fleet = FleetOptions(broker: try settings.broker(), database: ConnectionOptions(url: ""))
            try settings.readTopology(&fleet)
            try TopologyDeclaration(fleet).apply(to: fleet.broker)
            print("topology declared on \(fleet.broker)")
        }
    }

    struct Permissions: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what a user of the broker should be allowed to do, as calls of rabbitmqctl.",
            discussion: """
                An account's user may publish jobs, use queues whose names begin with the account and a dot, and bind them to the alerts and events \
                of that account, and nothing else. Without --for it is a producer and a subscriber. Nothing is changed, and no server is asked.
                """)

        enum Role: String, ExpressibleByArgument, CaseIterable {
            case producer, subscriber, worker, `operator`
        }

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(name: .customLong("for"), help: "producer, subscriber, worker or operator.")
        var role: Role?
        @Option(help: "The user's name on the broker. By default the account's, or the role's.")
        var user: String?
        @Option(help: "The virtual host. By default the one of the AMQP URL, or else /.")
        var virtualHost: String?
        @Argument(help: "The account of a producer or subscriber.")
        var account: String?

        func validate() throws {
            if let account, !Slug.isValid(account) { throw ValidationError("\"\(account)\" is not an account's slug") }
            let isOfAccount = role != .worker && role != .operator
            if isOfAccount, account == nil { throw ValidationError("which account? A producer or subscriber belongs to one") }
            if !isOfAccount, account != nil { throw ValidationError("a user for a worker or operator belongs to no account") }
        }

        func run(with settings: Settings) throws {
            let host = virtualHost ?? (try? settings.broker().virtualHost) ?? "/"
            let name = user ?? account ?? "tenantry-\(role?.rawValue ?? "")"
            let permissions = permissions
            switch output.format {
            case .json:
                let document: JSONValue = [
                    "user": .string(name), "virtual_host": .string(host), "configure": .string(permissions.configure),
                    "write": .string(permissions.write), "read": .string(permissions.read),
                    "topics": .array(
                        permissions.topics.map {
                            ["exchange": .string($0.exchange), "write": .string($0.write), "read": .string($0.read)]
                        }),
                ]
                print(document.pretty())
            case .table:
                print("# add_user asks for the password.")
                for arguments in [["add_user", name]] + permissions.commands(user: name, virtualHost: host) {
                    print((["rabbitmqctl"] + arguments.map(Self.quoted)).joined(separator: " "))
                }
            }
        }

        private var permissions: BrokerPermissions {
            switch role {
            case .worker: .worker
            case .operator: .operator
            case .producer: .ofAccount(account ?? "", [.producer])
            case .subscriber: .ofAccount(account ?? "", [.subscriber])
            case nil: .ofAccount(account ?? "", [.producer, .subscriber])
            }
        }

        /// As a shell takes it for one word.
        private static func quoted(_ word: String) -> String {
            let isPlain = word.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E
            }
            return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }
    }
}

struct ContractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract",
        abstract: "Prints the AsyncAPI 3 document of everything on the wire, or the HTTP API's OpenAPI 3.1.")

    @Flag(help: "The OpenAPI document of the HTTP API instead.")
    var http = false

    func run() {
        print(http ? OpenAPIDocument.render() : AsyncAPIDocument.render(), terminator: "")
    }
}
