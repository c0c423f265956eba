internal import AMQP
internal import Contract
internal import TenantryClient
internal import TestSupport
internal import Testing

/// One connection for many callers, on a fleet with a worker.
@Suite struct JobClientTests {
    @Test("Many callers at once have their own answers, over one connection")
    func manyCallers() async throws {
        let stage = try await Stage.shared.value
        let proxy = try CuttingProxy(to: stage.brokerURL)
        defer { proxy.close() }
        let client = try stage.client(at: proxy.url(stage.brokerURL))
        let conversation = newName("many")
        let answers = try await withThrowingTaskGroup(of: (String, Answer).self) { group in
            for number in 0..<400 {
                group.addTask {
                    let id = "\(conversation)-\(number)"
                    return (id, try await client.send(logged(id, in: conversation), tenant: stage.tenant, id: id))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 400)
        for (id, answer) in answers { #expect(answer.jobID == id && answer.result?["accepted"] == 1, "\(answer)") }
        #expect(try stage.messages(of: conversation) == 400)
        #expect(proxy.accepted == 1)
        await client.shutDown()
    }

    @Test("However many ask, only so many jobs are in flight, and all get their answers")
    func backpressure() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client {
            $0.mostInFlight = 3
            $0.mostBytesInFlight = 400
        }
        let conversation = newName("few")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let id = "\(conversation)-\(number)"
                    let answer = try await client.send(logged(id, in: conversation), tenant: stage.tenant, id: id)
                    #expect(answer.jobID == id)
                }
            }
            try await group.waitForAll()
        }
        #expect(try stage.messages(of: conversation) == 100)
    }

    @Test("A rejected job is an answer; whoever wants an error asks for one")
    func rejected() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        let answer = try await client.send(TenantCreate(slug: stage.tenant, displayName: "Again"))
        #expect(answer.status == .rejected && answer.error?.code == .slugTaken && answer.credential == nil)
        let rejection = try #require(answer.error)
        #expect(throws: rejection) { () throws(Rejection) in try answer.get() }
        let missing = try await client.send(logged("m", in: "c"))
        #expect(missing.error?.code == .invalidPayload, "no tenant was named")
    }

    @Test("A kind that no fleet knows is answered by the fleet, and bytes that are no JSON, too")
    func raw() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        let unknown = try await client.send(JobRequest(kind: "cats.feed", body: Array("{}".utf8)))
        #expect(unknown.answer.error?.code == .unknownKind)
        #expect(String(decoding: unknown.body, as: UTF8.self).contains(#""status":"rejected""#))
        let bytes = try await client.send(JobRequest(kind: "tenant.create", body: [0, 255]))
        #expect(bytes.answer.error?.code == .malformedJSON)
    }

    @Test("A job may have a credential of its own, and its first answer shows the one that it made")
    func credentials() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        let slug = newName("own")
        let payload = AccountCreate(slug: slug, displayName: "Own", plan: "enterprise")
        #expect(try await client.send(payload).error?.code == .forbidden)
        let opened = try await client.send(JobRequest(payload, credential: stage.operatorToken)).answer
        let own = try #require(opened.credential)
        let tenant = JobRequest(TenantCreate(slug: "\(slug)-t", displayName: "T"), credential: own)
        #expect(try await client.send(tenant).answer.get()["tenant"] == .string("\(slug)-t"))
        #expect(try await client.send(payload).error?.code == .forbidden, "the client's own is what it was")
    }

    @Test("Answers find their way back through the retry ladder: to a rejection, or to a tenant that came late")
    func ladder() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        let nobody = try await client.send(logged("m", in: "c"), tenant: "nobody-here")
        #expect(nobody.error?.code == .tenantUnknown)

        let late = newName("late")
        let handedOver = Happening()
        let request = JobRequest(logged("m", in: "c"), tenant: late)
        async let answer = client.send(request) { handedOver.happen() }
        await handedOver.wait()
        _ = try await client.send(TenantCreate(slug: late, displayName: "Late")).get()
        // Whether the first attempt came before the tenant or after it: it is the same answer.
        let logged = try await answer.answer
        #expect(logged.status == .succeeded || logged.error?.code == .tenantUnknown)
    }

    @Test("Publishing waits for the broker alone; each of many jobs is carried out")
    func publish() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        let conversation = newName("published")
        try await client.publish(logged("\(conversation)-a", in: conversation), tenant: stage.tenant)
        let requests = (0..<3_000).map {
            JobRequest(logged("\(conversation)-\($0)", in: conversation), tenant: stage.tenant)
        }
        try await client.publish(requests)
        try await client.publish([])
        try await eventually("all are stored") { try stage.messages(of: conversation) == 3_001 }
    }

    @Test("What cannot be sent is refused by itself, and hurts no other")
    func invalid() async throws {
        let stage = try await Stage.shared.value
        let client = try stage.client()
        for request in [
            JobRequest(kind: "tenant.create", body: [], id: ""), JobRequest(kind: "tenant.create", body: [], id: "a\u{0}"),
            JobRequest(kind: "tenant.create", body: [], id: String(repeating: "x", count: 129)), JobRequest(kind: "", body: []),
            JobRequest(kind: String(repeating: "k", count: 256), body: []),
            JobRequest(kind: "tenant.create", body: [], traceparent: String(repeating: "t", count: 200_000)),
        ] {
            let error = try await failure { _ = try await client.send(request) }
            #expect(error.kind == .invalid && error.jobID == request.id, "\(error)")
        }
        #expect(try await client.send(UsageAggregate()).status == .succeeded)
        let malformed = try await failure { _ = try JobClient(brokerURL: "http://localhost", credential: "a.b") }
        #expect(malformed.kind == .invalid)
    }

    @Test("Without the fleet's topology a job is unroutable, and once that is there the same client goes on")
    func unroutable() async throws {
        let virtualHost = try await TestServers.shared.virtualHost()
        defer { withExtendedLifetime(virtualHost) {} }
        let url = virtualHost.url
        let client = try JobClient(brokerURL: url, credential: "a.b")
        let request = JobRequest(kind: "tenant.create", body: Array("{}".utf8))
        let missing = try await failure { try await client.publish(request) }
        #expect(missing.kind == .unroutable && missing.replyCode == 404 && missing.jobID == request.id, "\(missing)")
        #expect(missing.message.contains("tenantry topology apply"))

        var broker = try AMQP.Connection(BrokerURL(url), name: "test")
        try broker.declareExchange(Topology.jobsExchange, type: "topic")
        let unbound = try await failure { _ = try await client.send(request) }
        #expect(unbound.kind == .unroutable && unbound.message.contains("no queue takes tenant.create"), "\(unbound)")

        _ = try broker.declareQueue("full", arguments: ["x-max-length": 1, "x-overflow": "reject-publish"])
        try broker.bindQueue("full", exchange: Topology.jobsExchange, routingKey: "#")
        try await client.publish(request)
        let refused = try await failure { try await client.publish([request, request]) }
        #expect(refused.kind == .refused, "\(refused)")
    }
}
