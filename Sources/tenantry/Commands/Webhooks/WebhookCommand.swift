internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres
internal import TenantryClient
internal import Webhooks

struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook", abstract: "URLs that are called with events, for whoever has no AMQP.",
        discussion: "What changes something is a job: it needs the account's credential and a worker.",
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Test.self, Resend.self, Recover.self, Rotate.self, Remove.self,
        ])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists webhooks, the newest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Option(help: "Only this account's.")
        var account: String?
        @Option(help: "Only this tenant's own.")
        var tenant: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry webhook"))
            var table = Table(["webhook", "account", "tenant", "url", "events", "state", "reason", "description", "created_at"])
            let found = try page.rows(of: WebhookSummary.self, \.position) {
                try WebhookSummary.page(account: account, tenant: tenant, after: $0, limit: $1, on: &database)
            }
            for webhook in found {
                table.append([
                    .string(webhook.id), .string(webhook.account), .text(webhook.tenant), .string(webhook.url),
                    .string(webhook.events.joined(separator: " ")), .string(webhook.state), .text(webhook.reason),
                    .text(webhook.description), .string(webhook.createdAt.rfc3339),
                ])
            }
            table.print(output.format)
        }
    }

    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what was sent to a webhook, or is to be: its deliveries, the newest first.",
            discussion: "With --delivery, that one with the request's headers, without the signature, and its body, as JSON.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Argument(help: "The webhook's id.")
        var webhook: String
        @Option(help: "Only this delivery, with what is sent.")
        var delivery: String?
        @Option(help: "Only deliveries that are pending, succeeded or failed.")
        var state: Choice<DeliveryRecord.State>?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry webhook"))
            guard try WebhookSummary.find(webhook, account: nil, on: &database) != nil else {
                throw Failure("there is no webhook \(webhook)")
            }
            if let delivery { return try show(delivery, on: &database) }
            var table = Table(DeliveryRecord.representation.members.map(\.name))
            let found = try page.rows(of: DeliveryRecord.self, \.position) {
                try DeliveryRecord.page(of: webhook, state: state?.word.rawValue, after: $0, limit: $1, on: &database)
            }
            for record in found { table.append(DeliveryRecord.representation.members.map { $0.write(record) }) }
            table.print(output.format)
        }

        private func show(_ id: String, on database: inout Connection) throws {
            guard let details = try DeliveryDetails.find(id, of: webhook, on: &database) else {
                throw Failure("webhook \(webhook) has no delivery \(id)")
            }
            print(DeliveryDetails.representation.json(details).pretty())
        }
    }
}

/// A command that is one job: it prints the answer's result as JSON.
protocol WebhookJobCommand: AsyncParsableCommand {
    associatedtype Payload: JobPayload
    var server: ServerOptions { get }
    var credential: CredentialOptions { get }
    /// The header.
    var tenant: String? { get }

    func payload() throws -> Payload
    /// Looks at the answer, and may send more.
    func finish(_ result: JSONValue, _ send: (Payload) async throws -> JSONValue) async throws
}

extension WebhookJobCommand {
    var tenant: String? { nil }

    func run() async throws {
        let settings = try await Settings(server)
        let payload = try payload()
        let client = try await JobClient.forCommand(
            brokerURL: try settings.brokerURL(), credential: try settings.credential(credential))
        let send: (Payload) async throws -> JSONValue = { try await self.send($0, with: client) }
        try await finish(try await send(payload), send)
    }

    func finish(_ result: JSONValue, _ send: (Payload) async throws -> JSONValue) async throws { print(result.pretty()) }

    private static var answerSeconds: Double { 30 }

    private func send(_ payload: Payload, with client: JobClient) async throws -> JSONValue {
        let request = JobRequest(payload, tenant: tenant)
        var result: JSONValue = .null
        let missing = try await AnsweredJobs(client: client, seconds: Self.answerSeconds).take([request]) { _, received in
            if let error = received.answer.error {
                throw Failure(
                    error.message
                        + (error.code == .forbidden ? "; pass the account's credential with --token-file or TENANTRY_TOKEN" : ""))
            }
            result = received.answer.result ?? .null
        }
        guard missing == 0 else {
            throw Failure("no answer within \(Int(Self.answerSeconds)) seconds: is a worker running? The job stays queued")
        }
        return result
    }
}
