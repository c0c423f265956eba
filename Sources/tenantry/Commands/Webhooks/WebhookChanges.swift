internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres
internal import TenantryClient
internal import Webhooks

extension WebhookCommand {
    struct Create: WebhookJobCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a webhook, and shows the secret that its messages are signed with, this once.",
            discussion: "tenantry webhook create https://hooks.example.com/tenantry --events 'limit.#' --events tenant.created")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "Where it is called: https://…")
        var url: String
        @Option(
            parsing: .singleValue,
            help: ArgumentHelp(
                "Which events, several times if need be: * stands for one word, # for any number (default: all).",
                valueName: "pattern"))
        var events: [String] = ["#"]
        @Option(help: "What it is for.")
        var description: String?
        @Option(help: ArgumentHelp("Only this tenant's events.", valueName: "slug"))
        var tenant: String?

        func payload() -> WebhookCreate { WebhookCreate(url: url, events: events, description: description) }
    }

    struct Update: WebhookJobCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a webhook's URL, events or description, or enables or disables it.",
            discussion: "What waits as failed when it is enabled again is sent by `tenantry webhook recover`.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String
        @Option(help: "Where it is called from now on.")
        var url: String?
        @Option(parsing: .singleValue, help: ArgumentHelp("All its events, instead of those before.", valueName: "pattern"))
        var events: [String] = []
        @Option(help: "What it is for.")
        var description: String?
        @Option(help: "enabled or disabled.")
        var state: Choice<WebhookState>?

        func validate() throws {
            if url == nil, events.isEmpty, description == nil, state == nil {
                throw ValidationError("say what to change: --url, --events, --description or --state")
            }
        }

        func payload() -> WebhookUpdate {
            WebhookUpdate(
                webhook: webhook, url: url, events: events.isEmpty ? nil : events,
                description: description.map { .set($0) } ?? .keep, state: state?.word)
        }
    }

    struct Remove: WebhookJobCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a webhook, with the log of its deliveries.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String

        func payload() -> WebhookRemove { WebhookRemove(webhook: webhook) }
    }

    struct Rotate: WebhookJobCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a webhook a new secret, and shows it, this once. For a day the one before signs, too.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String

        func payload() -> WebhookRotate { WebhookRotate(webhook: webhook) }
    }

    struct Resend: WebhookJobCommand {
        static let configuration = CommandConfiguration(abstract: "Makes one delivery once more, from the first attempt on.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String
        @Argument(help: "The delivery's id.")
        var delivery: String

        func payload() -> WebhookResend { WebhookResend(webhook: webhook, delivery: delivery) }
    }

    struct Recover: WebhookJobCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the failed deliveries of events since a time once more, the oldest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String
        @Option(help: ArgumentHelp("RFC 3339, such as 2026-11-23T00:00:00Z.", valueName: "time"))
        var since: String

        func payload() throws -> WebhookRecover {
            guard let since = Instant(since) else { throw ValidationError("--since must be a time such as 2026-11-23T00:00:00Z") }
            return WebhookRecover(webhook: webhook, since: since)
        }

        func finish(_ result: JSONValue, _ send: (WebhookRecover) async throws -> JSONValue) async throws {
            var (last, count) = (result, result.recovered)
            while last["more"] == .bool(true) {
                last = try await send(try payload())
                count += last.recovered
            }
            print("\(count) deliveries of webhook \(webhook) are made once more")
        }
    }

    struct Test: WebhookJobCommand {
        static let configuration = CommandConfiguration(
            abstract: "Calls a webhook with an event webhook.test, and says how it went.",
            discussion: "Exit code: 0 it answered 2xx, 1 it did not, or was not called within 20 seconds.")

        /// Longer than an attempt takes.
        private static let seconds = 20.0

        @OptionGroup var server: ServerOptions
        @OptionGroup var credential: CredentialOptions
        @Argument(help: "The webhook's id.")
        var webhook: String

        func payload() -> WebhookTest { WebhookTest(webhook: webhook) }

        func finish(_ result: JSONValue, _ send: (WebhookTest) async throws -> JSONValue) async throws {
            guard case .string(let delivery)? = result["delivery"] else { throw Failure("the answer names no delivery") }
            let options = try await Settings(server).readersDatabase(name: "tenantry webhook")
            let end = ContinuousClock.now + .seconds(Self.seconds)
            while ContinuousClock.now < end {
                if let record = try Self.attempted(delivery, of: webhook, options) { return try tell(record) }
                try await Task.sleep(for: .milliseconds(200))
            }
            throw Failure("webhook \(webhook) was not called within \(Int(Self.seconds)) seconds: is a worker running?")
        }

        private static func attempted(
            _ delivery: String, of webhook: String, _ options: ConnectionOptions
        ) throws -> DeliveryRecord? {
            var database = try Connection(options)
            let record = try DeliveryDetails.find(delivery, of: webhook, on: &database)?.record
            return record.flatMap { $0.attempt > 0 ? $0 : nil }
        }

        private func tell(_ record: DeliveryRecord) throws {
            if let error = record.error { throw Failure("webhook \(webhook): \(error)") }
            print("webhook \(webhook) answered \(record.status ?? 0) after \(record.durationMilliseconds ?? 0) ms")
        }
    }
}

extension JSONValue {
    /// How many deliveries an answer to `webhook.recover` counts.
    fileprivate var recovered: Int64 {
        guard case .int(let count)? = self["recovered"] else { return 0 }
        return count
    }
}
