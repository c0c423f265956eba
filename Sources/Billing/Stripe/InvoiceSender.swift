internal import Contract
public import Logging
public import ServiceLifecycle

/// Sends the invoices that are due to Stripe, beside a worker's lanes, until its group shuts down. Any number of workers may run one: each
/// invoice is with one of them at a time, and goes on elsewhere if that one dies.
public struct InvoiceSender: Service {
    private static let pollSeconds = 1.0
    private static let longestWaitSeconds = 3_600.0
    /// With waits that double up to an hour, more than the day for which Stripe keeps an idempotency key, and what it answered under it.
    static let mostAttempts: Int64 = 58

    private let options: StripeOptions
    private let desk: DeliveryDesk
    private let logger: Logger

    public init(_ options: StripeOptions, logger: Logger) {
        self.options = options
        self.logger = logger
        desk = DeliveryDesk(options)
    }

    public func run() async throws {
        let client = StripeClient(options)
        // A request that is cut off is asked again under its idempotency key, by whoever comes next.
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<options.parallel { group.addTask { await work(client) } }
            }
        }
        try await client.shutdown()
    }

    private func work(_ client: StripeClient) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                if let delivery = try await desk.claim() {
                    try await deliver(delivery, client)
                } else {
                    await pause(Self.pollSeconds)
                }
                failures = 0
            } catch {
                failures += 1
                logger.warning("invoices cannot be read, trying again", metadata: ["error": "\(error)"])
                await pause(Self.waitSeconds(after: failures, most: 10))
            }
        }
    }

    /// - Throws: what the database throws; the invoice then comes again when its lease is over.
    private func deliver(_ claimed: Delivery, _ client: StripeClient) async throws {
        var delivery = claimed
        do {
            while try await take(delivery.nextStep, of: &delivery, client) {}
            try await desk.sent(delivery)
            logger.info("invoice sent", metadata: metadata(delivery))
        } catch is CancellationError {
            try await desk.release(delivery)
        } catch let failure as StripeFailure {
            try await settle(failure, delivery)
        }
    }

    private func settle(_ failure: StripeFailure, _ delivery: Delivery) async throws {
        var metadata = metadata(delivery)
        metadata["error"] = "\(failure.message)"
        switch failure {
        case .lasting(let message), .gone(let message):
            try await desk.failed(delivery, message)
            logger.error("invoice refused", metadata: metadata)
        case .passing(let message) where delivery.attempts >= Self.mostAttempts:
            try await desk.failed(delivery, "given up after \(delivery.attempts) attempts: \(message)")
            logger.error("invoice given up", metadata: metadata)
        case .passing(let message):
            let seconds = Self.waitSeconds(after: Int(delivery.attempts), most: Self.longestWaitSeconds)
            try await desk.postpone(delivery, seconds: seconds, message)
            logger.warning("invoice not sent, trying again", metadata: metadata)
        }
    }

    /// Asks Stripe for one step and keeps what it is called there.
    ///
    /// - Returns: whether there is another step.
    private func take(_ step: Delivery.Step, of delivery: inout Delivery, _ client: StripeClient) async throws -> Bool {
        if case .finalize = step, try await isFinal(delivery, client) { return false }
        if case .earlier(let earlier) = step { return try await !adopts(earlier, into: &delivery, client) }
        let answer = try await client.send(delivery.request(step), account: delivery.stripeAccount)
        guard case .string(let id)? = answer["id"], !id.isEmpty, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2F })
        else { throw StripeFailure.passing("Stripe's answer has no id") }
        delivery.attempts = 1
        switch step {
        case .customer:
            delivery.customer = id
            try await desk.keep(customer: id, of: delivery)
        case .draft:
            delivery.invoice = id
            try await desk.keep(invoice: id, of: delivery)
        case .line(let index):
            delivery.lines[index].item = id
            try await desk.keep(item: id, line: delivery.lines[index].position, of: delivery)
        case .earlier, .finalize: return false
        }
        return true
    }

    /// Idempotency keys do not last for ever: before the last step it is made sure that every line is on the draft, and only once.
    private func isFinal(_ delivery: Delivery, _ client: StripeClient) async throws -> Bool {
        let draft = try await client.send(delivery.inspection, account: delivery.stripeAccount)
        if let mismatch = delivery.mismatch(draft) { throw StripeFailure.lasting(mismatch) }
        return draft["status"] != "draft"
    }

    /// Whether the earlier round's invoice is out, and so is this one.
    private func adopts(_ earlier: Delivery.Earlier, into delivery: inout Delivery, _ client: StripeClient) async throws -> Bool {
        do {
            let answer = try await client.send(earlier.inspection, account: earlier.stripeAccount)
            guard try delivery.isOut(earlier, answer) else {
                delivery.earlier = nil
                return false
            }
        } catch StripeFailure.gone {
            delivery.earlier = nil
            return false
        }
        delivery.invoice = earlier.invoice
        delivery.stripeAccount = earlier.stripeAccount
        return true
    }

    private func metadata(_ delivery: Delivery) -> Logger.Metadata {
        ["invoice.id": "\(delivery.id)", "stripe.account": "\(delivery.stripeAccount)"]
    }

    /// Doubling from a second; half to all of it, so that a fleet does not come back all at once.
    static func waitSeconds(after failures: Int, most: Double) -> Double {
        let ceiling = min(most, Double(1 << min(max(failures - 1, 0), 20)))
        return Double.random(in: ceiling / 2...ceiling)
    }

    /// Shorter when the task is cancelled.
    private func pause(_ seconds: Double) async {
        // Cancelled: the sender's loop looks at that next.
        try? await Task.sleep(for: .seconds(seconds))
    }
}
