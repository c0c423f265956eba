internal import API
internal import ArgumentParser
internal import Billing
internal import Contract
internal import Families
internal import Fleet
internal import Foundation
internal import Glibc
internal import Jobs
internal import Logging
internal import Metrics
internal import Postgres
internal import Schema
internal import ServiceLifecycle
internal import Webhooks

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Takes jobs until SIGTERM, SIGINT or SIGHUP, then finishes what is in hand and exits with 0.",
        discussion:
            """
            Serves /live, /ready and /metrics over HTTP. Start as many as you like, on as many machines: one of them leads.
            A server that is away is waited for, and so are rights, tables, exchanges and queues that are missing: /ready says 503 and \
            why. What nobody can mend from outside, a statement of the fleet's own that is wrong, ends the worker with exit code 70 \
            and its cause on standard error; jobs that it had in hand go back to the broker.
            """)

    /// `EX_SOFTWARE` of `sysexits.h`: the worker could not go on.
    static let failed = ExitCode(70)

    @OptionGroup var server: ServerOptions

    @Option(help: ArgumentHelp("Families to serve, separated by commas (default: as configured, or all).", valueName: "a,b"))
    var families: String?

    @Option(help: "Lanes of each family (default: as configured).")
    var lanes: Count?

    @Option(help: "HTTP port of health and metrics (TENANTRY_HTTP_PORT); 0 takes a free one.")
    var httpPort: Port?

    @Flag(
        help: ArgumentHelp(
            "Drain when standard input ends: it does with the process that holds its other end.", visibility: .hidden))
    var untilInputEnds = false

    func run() async throws {
        let settings = try await Settings(server)
        let logger = try settings.logger("tenantry.worker")
        let names = families?.split { $0 == "," || $0 == " " }.map { String($0) }
        let options = try settings.fleet(families: try names.map { try Settings.families($0) }, lanes: lanes?.value)
        try checkSchema(options.database, logger)

        let metrics = PrometheusMetrics()
        MetricsCatalogue.describe(metrics)
        MetricsSystem.bootstrap(metrics)
        let families = try settings.families(options)
        let stripe = try settings.stripe(options)
        let worker = Worker(
            options, families: Families.all(families), duties: Families.duties(families), confirmations: Families.confirmations,
            logger: logger)
        let healthServer = HealthServer(
            host: settings.httpHost, port: try httpPort?.value ?? settings.httpPort(),
            readiness: {
                Readiness(
                    problems: worker.health.problems, isLive: worker.health.isLive,
                    details: worker.health.lanes.mapValues(\.rawValue))
            },
            metrics: metrics,
            logger: logger,
            onListening: { port in
                logger.info(
                    "worker started",
                    metadata: ["worker.id": "\(worker.id)", "http.port": "\(port)", "lanes": "\(worker.laneCount)"])
            })
        let (stops, stop) = AsyncStream<Void>.makeStream()
        var companions: [any Service] = []
        if options.lanes[.tenant] != nil { companions.append(try webhooks(settings, options, logger)) }
        if let stripe { companions.append(InvoiceDispatcher(stripe, logger: logger)) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: healthServer, failureTerminationBehavior: .gracefullyShutdownGroup),
                    .init(
                        service: DrainingWorker(worker: worker, companions: companions, onStop: { stop.yield() }),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: logger))
        if untilInputEnds { WorkerSignals.terminateWhenInputEnds() }
        let shutdown = Task { for await _ in stops { await group.triggerGracefulShutdown() } }
        defer { shutdown.cancel() }
        do {
            try await group.run()
        } catch let failure as WorkerFailure {
            // Its cause is in the log already; this is for whoever reads the last line.
            FileHandle.standardError.write(Data("Error: \(failure)\n".utf8))
            throw Self.failed
        } catch let error as HealthServerError {
            throw Failure("\(error); name another port with --http-port or TENANTRY_HTTP_PORT, or 0 for a free one")
        }
        logger.info("worker drained", metadata: ["worker.id": "\(worker.id)"])
    }
}

extension WorkerCommand {
    private func webhooks(_ settings: Settings, _ options: FleetOptions, _ logger: Logger) throws -> WebhookDispatcher {
        let webhooks = try settings.webhooks(options)
        do {
            return try WebhookDispatcher(webhooks, logger: logger)
        } catch {
            throw Failure("webhooks.ca_files: \(error)")
        }
    }
}

/// The worker and what runs beside its lanes, as one service: a graceful shutdown drains them together, and so does a signal. As services of
/// their own they would be shut down one after the other, and one that ends before its turn would be taken to have failed.
private struct DrainingWorker: Service {
    let worker: Worker
    let companions: [any Service]
    /// Called when a signal has told it to stop.
    let onStop: @Sendable () -> Void

    func run() async throws {
        WorkerSignals.drain { [worker, onStop] in
            worker.drain()
            onStop()
        }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await runAll()
            } onGracefulShutdown: {
                worker.drain()
            }
        } onCancel: {
            worker.drain()
        }
    }

    private func runAll() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for companion in companions { group.addTask { try await companion.run() } }
            // If it fails, they are cancelled.
            try await worker.run()
            try await group.waitForAll()
        }
    }
}

/// What the worker's metrics mean.
private enum MetricsCatalogue {
    static func describe(_ metrics: PrometheusMetrics) {
        metrics.describe("tenantry_jobs_total", "Jobs finished, by kind and outcome.")
        metrics.describe("tenantry_job_seconds", "From taking a job's batch in hand to its acknowledgement.")
        metrics.describe("tenantry_queue_seconds", "From a job's timestamp to its being taken in hand.")
        metrics.describe("tenantry_batch_jobs", "Jobs of one transaction.")
        metrics.describe("tenantry_reconnects_total", "Connections lost and made anew, by server.")
        metrics.describe(
            "tenantry_outbox_lag_seconds", "Age of the oldest message that waits in the outbox; measured by the leader.")
        metrics.describe("tenantry_outbox_messages", "Messages of the last round of the outbox relay.")
        metrics.describe("tenantry_dead_letters", "Dead letters that are kept, as the leader last counted them.")
        metrics.describe(
            "tenantry_dead_letters_removed_total", "Dead letters that were removed, by reason: age, count or erasure.")
        metrics.describe("tenantry_ready", "1 if nothing keeps the worker from making progress, as /ready tells it.")
        metrics.describe("tenantry_jobs_in_hand", "Jobs that were taken and are not acknowledged.")
        metrics.describe("tenantry_stuck_lanes", "Lanes that have had the same batch in hand for too long.")
        metrics.describe("tenantry_queue_messages", "Messages that are ready in a queue.")
        metrics.describe("tenantry_postponed_messages", "Dead letters and retries that wait in the database for the broker.")
        metrics.describe("tenantry_answers_dropped_total", "Answers and events that were dropped, by reason.")
        metrics.describe("tenantry_renewed_jobs_total", "Jobs that were sent anew, since they had come back often or were moved.")
        metrics.describe("tenantry_webhook_attempts_total", "Calls of webhooks, by outcome.")
        metrics.describe("tenantry_webhook_attempt_seconds", "How long a call of a webhook took.")
        metrics.describe("tenantry_webhook_lines", "Lines of deliveries that this worker has in its hands.")
        metrics.describe(
            "tenantry_webhooks_disabled_total", "Webhooks that were disabled because they answered 410 or failed for a week.")
        metrics.describe("tenantry_webhooks_disabled", "Webhooks that are disabled now, as the leader last counted them.")
        metrics.describe(
            "tenantry_webhook_deliveries_pending", "Deliveries that wait for an attempt, as the leader last counted them.")
        metrics.describe(
            "tenantry_webhook_oldest_seconds", "Age of the oldest event that a webhook has not been called with once.")
        metrics.describe("tenantry_leader", "1 on the worker that leads the fleet.")
    }
}
