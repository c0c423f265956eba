internal import Jobs
public import ServiceLifecycle
internal import Synchronization
internal import TenantryClient

/// Asks every few seconds whether the database and the broker are there, for `/ready`.
public final class ServerWatch: Service {
    private let database: DatabasePool
    private let client: JobClient
    private let problems = Mutex<[String]>(["neither server has been asked yet"])

    private static let pauseSeconds = 2.0

    init(database: DatabasePool, client: JobClient) {
        self.database = database
        self.client = client
    }

    var readiness: Readiness { Readiness(problems: problems.withLock { $0 }, isLive: true, details: [:]) }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var found: [String] = []
                do {
                    try await self.database.run { database, directory in try directory.refresh(from: &database) }
                } catch { found.append("the database cannot be used") }
                do {
                    try await self.client.connect()
                } catch { found.append("the broker cannot be used") }
                let now = found
                self.problems.withLock { $0 = now }
                // Its only error is the cancellation, which ends the loop.
                try? await Task.sleep(for: .seconds(Self.pauseSeconds))
            }
        }
    }
}
