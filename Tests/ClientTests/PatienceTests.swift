internal import Contract
internal import Logging
internal import ServiceLifecycle
internal import TenantryClient
internal import TestSupport
internal import Testing

/// Time, cancellation and the end.
@Suite struct PatienceTests {
    @Test("After a timeout the job may be asked for again under its id: it has one effect, and its first answer")
    func askedAgain() async throws {
        let fleet = try await TestFleet()
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: fleet.operatorToken)
        let payload = AccountCreate(slug: "acme", displayName: "Acme", plan: "enterprise")
        let error = try await failure { _ = try await client.send(payload, timeout: .milliseconds(300)) }
        #expect(error.kind == .timeout)
        let id = try #require(error.jobID)
        try fleet.startWorker()
        try await eventually("the job has run") { try fleet.number("select count(*) from tenantry.accounts") == 1 }
        let again = try await client.send(payload, id: id)
        #expect(again.status == .succeeded && again.duplicate && again.jobID == id)
        #expect(again.credential == nil, "a secret is shown once")
        await fleet.stop()
    }

    @Test("A cancelled caller is free at once; the others wait on")
    func cancelled() async throws {
        let fleet = try await TestFleet()
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: fleet.operatorToken)
        let handedOver = Happening()
        let request = JobRequest(AccountCreate(slug: "acme", displayName: "Acme", plan: "enterprise"))
        let waiting = Task { try await client.send(request) { handedOver.happen() } }
        async let other = client.send(AccountCreate(slug: "other", displayName: "Other", plan: "enterprise"))
        await handedOver.wait()
        waiting.cancel()
        let error = try await failure { _ = try await waiting.value }
        #expect(error.kind == .cancelled && error.jobID == request.id)
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(UsageAggregate())
        }
        #expect(try await failure { _ = try await early.value }.kind == .cancelled)
        try fleet.startWorker()
        #expect(try await other.status == .succeeded)
        try await eventually("what was sent has run") { try fleet.number("select count(*) from tenantry.accounts") == 2 }
        await fleet.stop()
    }

    @Test("Graceful shutdown takes nothing new, finishes what is in flight, and ends the service")
    func gracefully() async throws {
        let fleet = try await TestFleet()
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: fleet.operatorToken)
        let group = ServiceGroup(services: [client], logger: Logger(label: "test"))
        let running = Task { try await group.run() }
        let handedOver = Happening()
        let request = JobRequest(AccountCreate(slug: "acme", displayName: "Acme", plan: "enterprise"))
        let waiting = Task { try await client.send(request) { handedOver.happen() } }
        await handedOver.wait()
        await group.triggerGracefulShutdown()
        var error: ClientError?
        repeat {
            error = try? await failure { _ = try await client.send(UsageAggregate(), timeout: .milliseconds(50)) }
        } while error?.kind != .closed
        try fleet.startWorker()
        #expect(try await waiting.value.answer.status == .succeeded)
        try await running.value
        await fleet.stop()
    }

    @Test("A service that is cancelled, and a client that is let go, end at once")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: fleet.operatorToken)
        let running = Task { try await client.run() }
        let handedOver = Happening()
        let request = JobRequest(UsageAggregate())
        let waiting = Task { try await client.send(request) { handedOver.happen() } }
        await handedOver.wait()
        running.cancel()
        try await running.value
        #expect(try await failure { _ = try await waiting.value }.kind == .closed)
        await client.shutDown()

        let proxy = try CuttingProxy(to: fleet.brokerURL)
        defer { proxy.close() }
        try await JobClient(brokerURL: proxy.url(fleet.brokerURL), credential: "a.b").connect()
        try await eventually("its connection is gone") { proxy.living == 0 }
    }

    @Test("A client that was never used shuts down at once")
    func unused() async throws {
        let client = try JobClient(brokerURL: "amqp://127.0.0.1:1", credential: "a.b")
        await client.shutDown()
        #expect(try await failure { _ = try await client.send(UsageAggregate()) }.kind == .closed)
    }
}
