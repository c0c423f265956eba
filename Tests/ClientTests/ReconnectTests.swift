internal import Contract
internal import TenantryClient
internal import TestSupport
internal import Testing

/// Connections that break, by a proxy that cuts them.
@Suite struct ReconnectTests {
    @Test("When the connection is cut again and again, all answers arrive and each job has one effect")
    func cutInTheMidst() async throws {
        let stage = try await Stage.shared.value
        let proxy = try CuttingProxy(to: stage.brokerURL)
        defer { proxy.close() }
        let client = try stage.client(at: proxy.url(stage.brokerURL)) { $0.mostInFlight = 50 }
        let conversation = newName("cut")
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for number in 0..<600 {
                group.addTask {
                    let id = "\(conversation)-\(number)"
                    return try await client.send(logged(id, in: conversation), tenant: stage.tenant, id: id)
                }
            }
            var answered = 0
            for try await answer in group {
                #expect(answer.status == .succeeded, "\(answer)")
                answered += 1
                if answered.isMultiple(of: 100) { proxy.cut() }
            }
            #expect(answered == 600)
        }
        #expect(try stage.messages(of: conversation) == 600)
        #expect(proxy.accepted > 1)
    }

    @Test("An answer that is lost with its connection is asked for again by itself")
    func lostAnswers() async throws {
        let fleet = try await TestFleet()
        let proxy = try CuttingProxy(to: fleet.brokerURL)
        defer { proxy.close() }
        let client = try JobClient(brokerURL: proxy.url(fleet.brokerURL), credential: fleet.operatorToken)
        let handedOver = Happening()
        let request = JobRequest(AccountCreate(slug: "acme", displayName: "Acme", plan: "enterprise"))
        async let answer = client.send(request) { handedOver.happen() }
        await handedOver.wait()
        // The first answer goes to a channel that is no more.
        proxy.goAway()
        try fleet.startWorker()
        try await eventually("the job has run") { try fleet.number("select count(*) from tenantry.accounts") == 1 }
        proxy.comeBack()
        let received = try await answer.answer
        #expect(received.status == .succeeded && received.duplicate && received.jobID == request.id)
        await fleet.stop()
    }

    @Test("Jobs that are handed over while the broker is away reach it when it is back")
    func awayAtFirst() async throws {
        let stage = try await Stage.shared.value
        let proxy = try CuttingProxy(to: stage.brokerURL)
        defer { proxy.close() }
        proxy.goAway()
        let client = try stage.client(at: proxy.url(stage.brokerURL))
        #expect(try await failure { try await client.connect() }.kind == .connection)
        let vain = try await failure { _ = try await client.send(UsageAggregate(), timeout: .milliseconds(200)) }
        #expect(vain.kind == .connection && vain.jobID != nil, "\(vain)")
        let conversation = newName("away")
        async let published: Void = client.publish(
            (0..<500).map { JobRequest(logged("\(conversation)-\($0)", in: conversation), tenant: stage.tenant) })
        async let answer = client.send(UsageAggregate())
        proxy.comeBack()
        try await published
        #expect(try await answer.status == .succeeded)
        try await eventually("all are stored") { try stage.messages(of: conversation) == 500 }
    }

    @Test("A login that the broker refuses is told with the broker's own code")
    func refusedLogin() async throws {
        let stage = try await Stage.shared.value
        let url = stage.brokerURL.replacing(/amqp:\/\/[^@]+@/, with: "amqp://nobody:secret@")
        let client = try stage.client(at: url)
        let error = try await failure { try await client.connect() }
        #expect(error.kind == .connection && error.replyCode == 403, "\(error)")
        #expect(!error.message.contains("secret"))
    }
}
