internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What a worker says of jobs, whatever becomes of them.
    @Suite struct SecretTests {
        private static let password = "correct horse battery"

        @Test("No credential and no password is in a worker's log, in an event or in a dead letter, whatever becomes of the job")
        func nowhere() async throws {
            let stage = try await Stage()
            try stage.subscribe("acme.events", exchange: Topology.eventsExchange)
            let worker = try stage.startWorker(.tenantry, ["TENANTRY_LOG_LEVEL": "trace"])
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            func person(_ more: String = "") -> String {
                #"{"email":"ada@x.ch","display_name":"Ada","role":"tenant_admin","password":"\#(Self.password)"\#(more)}"#
            }
            let jobs: [(kind: String, body: String, tenant: String?, token: String)] = [
                ("admin.create", person(), "shop", account), ("admin.create", person(), "shop", account),
                ("admin.create", person(), "nowhere", account), ("admin.create", String(person().dropLast()), "shop", account),
                ("admin.create", person(#","role":7"#), "shop", account), ("admin.creates", person(), "shop", account),
                ("token.issue", #"{"name":"till","scopes":["corpus:write"]}"#, "shop", account),
                ("token.issue", #"{"name":"till","scopes":["everything"]}"#, "shop", account),
                ("tenant.create", #"{"slug":"other","display_name":"\u0000"}"#, nil, account),
                ("account.create", "{}", nil, account), ("usage.aggregate", "{}", nil, stage.operatorToken),
                ("usage.aggregate", "{}", nil, "stranger.secret-of-a-stranger"),
                ("account.rotate", #"{"account":"acme","overlap_seconds":0}"#, nil, stage.operatorToken),
                ("tenant.suspend", "{}", "shop", account),
            ]
            let tokens = [account, stage.operatorToken, "stranger.secret-of-a-stranger"]
            var secrets = tokens.map { String($0.split(separator: ".")[1]) }
            secrets.append(Self.password)
            for (number, job) in jobs.enumerated() {
                let answer = try await stage.ask(job.kind, job.body, tenant: job.tenant, token: job.token, id: "job-\(number)")
                if case .string(let secret)? = answer.result?["secret"] { secrets.append(secret) }
            }
            #expect(secrets.count >= 7, "some secrets are made")
            try #expect(await worker.terminate(within: 30) == .exit(0))
            let log = worker.log
            #expect(!log.isEmpty)
            let events = try stage.takeAll(from: "acme.events")
            #expect(events.count >= jobs.count)
            let letters = try stage.takeAll(from: Topology.deadQueue)
            #expect(letters.count >= 8)
            for secret in secrets {
                #expect(!log.contains(secret), "in the log")
                for message in events + letters {
                    let text = "\(message.properties) " + message.withBody { String(decoding: $0, as: UTF8.self) }
                    #expect(!text.contains(secret), "in \(message.routingKey) of \(message.exchange)")
                }
            }
        }
    }
}
