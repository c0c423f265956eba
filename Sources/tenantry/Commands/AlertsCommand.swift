internal import ArgumentParser
internal import Contract
internal import Glibc
internal import Jobs
internal import Metering
internal import Postgres
internal import Synchronization
internal import TenantryClient

struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Alerts of limits that were reached.", subcommands: [Tail.self, Replay.self, List.self])

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows alerts live, as a subscriber receives them, until interrupted.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Which ones: limit.<state>.<metric>.<account>.<tenant or _pool>, with * and #.")
        var binding = "limit.#"
        @Option(help: "Stop after so many.")
        var count: Count?
        @Option(help: "Stop when none came for so many seconds.")
        var timeout: Seconds?

        func run() async throws {
            let settings = try await Settings(server)
            var options = AlertSubscription.Options()
            options.bindings = [binding]
            // The settings have been asked already.
            options.allowsInsecure = true
            let alerts = try await AlertSubscription(brokerURL: try settings.brokerURL(), options: options)
            writeError("subscribed to \(binding)\n")
            let last = LastAlert()
            var received = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [timeout] in
                    try await last.awaitEnd(idleSeconds: timeout?.value)
                    alerts.close()
                }
                for try await alert in alerts {
                    last.at.withLock { $0 = .now }
                    received += 1
                    printLine(output.format == .json ? String(decoding: alert.body, as: UTF8.self) : line(alert.event))
                    if received == count?.value { break }
                }
                group.cancelAll()
            }
        }

        private func line(_ alert: AlertEvent) -> String {
            let data = alert.data
            let limit = data.limit.map { "\($0)" } ?? "unlimited"
            return
                "\(alert.time)  \(alert.state.rawValue)  \(alert.subject)  \(data.metric.rawValue)  \(data.thresholdPercent) %  \(data.value) of \(limit)  \(alert.id)"
        }
    }

    /// When the last alert came.
    private final class LastAlert: Sendable {
        let at = Mutex(ContinuousClock.now)

        /// Waits until none came for so long, or nobody reads the output any more.
        func awaitEnd(idleSeconds: Double?) async throws {
            while true {
                let idle = at.withLock { $0 }.duration(to: .now)
                if let idleSeconds, idle >= .seconds(idleSeconds) { return }
                var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
                if poll(&output, 1, 0) > 0 && Int32(output.revents) & POLLERR != 0 { return }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    struct Replay: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends alerts again, under the ids that they had: a subscriber that knows an id has seen it.")

        @OptionGroup var server: ServerOptions
        @Option(help: "From this time on: RFC 3339, such as 2026-11-23T00:00:00Z.")
        var since: String
        @Option(help: "Only this account's.")
        var account: String?

        func validate() throws {
            guard Timestamp(rfc3339: since) != nil else {
                throw ValidationError("--since must be RFC 3339, such as 2026-11-23T00:00:00Z")
            }
        }

        func run(with settings: Settings) throws {
            guard let since = Timestamp(rfc3339: since) else { return }
            var database = try Connection(try settings.database(name: "tenantry alerts"))
            print("\(try AlertReplay.run(since: since, account: account, on: &database)) alerts put into the outbox")
        }
    }

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the alerts on record, newest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this account's.")
        var account: String?
        @Option(help: "The most alerts.")
        var limit = Count(100)

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry alerts"))
            var table = Table([
                "created_at", "published_at", "state", "account", "tenant", "metric", "percent", "value", "limit", "id",
            ])
            for alert in try AlertRecord.list(account: account, limit: limit.value, on: &database) {
                table.append([
                    .string(alert.createdAt.rfc3339), .text(alert.publishedAt?.rfc3339), .string(alert.state),
                    .string(alert.account),
                    .text(alert.tenant), .string(alert.metric), .int(alert.thresholdPercent), .int(alert.value),
                    .number(alert.limit), .string(alert.id),
                ])
            }
            table.print(output.format)
        }
    }
}
