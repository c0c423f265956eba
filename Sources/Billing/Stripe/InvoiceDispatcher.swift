internal import Contract
public import Logging
public import ServiceLifecycle

/// Sends the invoices that are due to Stripe, beside a worker's lanes, until its group shuts down. Any number of workers may run one: each
/// invoice is with one of them at a time, and goes on elsewhere if that one dies.
public struct InvoiceDispatcher: Service {
    private static let pollSeconds = 1.0
    private static let longestWaitSeconds = 3_600.0
    /// With waits that double up to an hour, more than the day for which Stripe keeps an idempotency key, and what it answered under it.
    static let mostAttempts: Int64 = 58

    private let options: StripeOptions
    private let store: InvoiceDispatchStore
    private let logger: Logger

    public init(_ options: StripeOptions, logger: Logger) {
        self.options = options
        self.logger = logger
        store = InvoiceDispatchStore(options)
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
                if let dispatch = try await store.claim() {
                    try await send(dispatch, client)
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
    private func send(_ claimed: InvoiceDispatch, _ client: StripeClient) async throws {
        var dispatch = claimed
        do {
            while try await take(dispatch.nextStep, of: &dispatch, client) {}
            try await store.sent(dispatch)
            logger.info("invoice sent", metadata: metadata(dispatch))
        } catch is CancellationError {
            try await store.release(dispatch)
        } catch let failure as StripeFailure {
            try await settle(failure, dispatch)
        }
    }

    private func settle(_ failure: StripeFailure, _ dispatch: InvoiceDispatch) async throws {
        var metadata = metadata(dispatch)
        metadata["error"] = "\(failure.message)"
        switch failure {
        case .lasting(let message), .gone(let message):
            try await store.failed(dispatch, message)
            logger.error("invoice refused", metadata: metadata)
        case .passing(let message) where dispatch.attempts >= Self.mostAttempts:
            try await store.failed(dispatch, "given up after \(dispatch.attempts) attempts: \(message)")
            logger.error("invoice given up", metadata: metadata)
        case .passing(let message):
            let seconds = Self.waitSeconds(after: Int(dispatch.attempts), most: Self.longestWaitSeconds)
            try await store.postpone(dispatch, seconds: seconds, message)
            logger.warning("invoice not sent, trying again", metadata: metadata)
        }
    }

    /// Asks Stripe for one step and keeps what it is called there.
    ///
    /// - Returns: whether there is another step.
    private func take(_ step: InvoiceDispatch.Step, of dispatch: inout InvoiceDispatch, _ client: StripeClient) async throws
        -> Bool
    {
        if case .finalize = step, try await isFinal(dispatch, client) { return false }
        if case .earlier(let earlier) = step { return try await !adopts(earlier, into: &dispatch, client) }
        let answer = try await client.send(dispatch.request(step), account: dispatch.stripeAccount)
        guard case .string(let id)? = answer["id"], !id.isEmpty, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2F })
        else { throw StripeFailure.passing("Stripe's answer has no id") }
        dispatch.attempts = 1
        switch step {
        case .customer:
            dispatch.customer = id
            try await store.keep(customer: id, of: dispatch)
        case .draft:
            dispatch.invoice = id
            try await store.keep(invoice: id, of: dispatch)
        case .line(let index):
            dispatch.lines[index].item = id
            try await store.keep(item: id, line: dispatch.lines[index].position, of: dispatch)
        case .earlier, .finalize: return false
        }
        return true
    }

    /// Idempotency keys do not last for ever: before the last step it is made sure that every line is on the draft, and only once.
    private func isFinal(_ dispatch: InvoiceDispatch, _ client: StripeClient) async throws -> Bool {
        let draft = try await client.send(dispatch.inspection, account: dispatch.stripeAccount)
        if let mismatch = dispatch.mismatch(draft) { throw StripeFailure.lasting(mismatch) }
        return draft["status"] != "draft"
    }

    /// Whether the earlier round's invoice is out, and so is this one.
    private func adopts(_ earlier: InvoiceDispatch.Earlier, into dispatch: inout InvoiceDispatch, _ client: StripeClient)
        async throws -> Bool
    {
        do {
            let answer = try await client.send(earlier.inspection, account: earlier.stripeAccount)
            guard try dispatch.isOut(earlier, answer) else {
                dispatch.earlier = nil
                return false
            }
        } catch StripeFailure.gone {
            dispatch.earlier = nil
            return false
        }
        dispatch.invoice = earlier.invoice
        dispatch.stripeAccount = earlier.stripeAccount
        return true
    }

    private func metadata(_ dispatch: InvoiceDispatch) -> Logger.Metadata {
        ["invoice.id": "\(dispatch.id)", "stripe.account": "\(dispatch.stripeAccount)"]
    }

    /// Doubling from a second; half to all of it, so that a fleet does not come back all at once.
    static func waitSeconds(after failures: Int, most: Double) -> Double {
        let ceiling = min(most, Double(1 << min(max(failures - 1, 0), 20)))
        return Double.random(in: ceiling / 2...ceiling)
    }

    /// Shorter when the task is cancelled.
    private func pause(_ seconds: Double) async {
        // It throws when the task is cancelled, and the loop looks at that next.
        try? await Task.sleep(for: .seconds(seconds))
    }
}
