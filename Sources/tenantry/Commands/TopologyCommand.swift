internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres

struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "Exchanges and queues on the broker.", subcommands: [Apply.self])

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
}

struct ContractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract", abstract: "Prints the AsyncAPI 3 document of everything on the wire.")

    func run() {
        print(AsyncAPIDocument.render(), terminator: "")
    }
}
