internal import ArgumentParser

/// A command that works with the servers of the settings. Reading the settings is `async`; the work is not, because a connection of the
/// drivers stays on its thread.
protocol ServerCommand: AsyncParsableCommand {
    var server: ServerOptions { get }
    func run(with settings: Settings) throws
}

extension ServerCommand {
    func run() async throws {
        try run(with: try await Settings(server))
    }
}
