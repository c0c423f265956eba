import AMQP
import Embedded
import Foundation
import Testing

extension BrokerTests {
    @Suite("What goes wrong on a real broker")
    struct FailureTests {
        private func connect(_ name: String = "failure tests", heartbeatSeconds: Int = 30) async throws -> Connection {
            try Connection(BrokerURL(try await testBrokerURL()), name: name, heartbeatSeconds: heartbeatSeconds)
        }

        @Test("an unroutable mandatory publish is reported with its sequence")
        func mandatoryReturn() async throws {
            var connection = try await connect()
            let queue = uniqueName("mandatory")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            for key in [queue, "nowhere", queue, "nowhere"] {
                let properties = Properties(messageID: "same")
                try connection.publish(exchange: "", routingKey: key, properties: properties, body: "body", mandatory: true)
            }
            let outcome = try connection.awaitConfirms(timeoutSeconds: 10)
            #expect(outcome.nacked.isEmpty && outcome.returned.map(\.sequence) == [2, 4])
            #expect(outcome.returned.allSatisfy { $0.replyCode == 312 && $0.routingKey == "nowhere" && $0.messageID == "same" })
        }

        @Test("an unroutable mandatory publish without confirms is an event")
        func returnWithoutConfirms() async throws {
            var connection = try await connect()
            try connection.publish(exchange: "", routingKey: "nowhere", properties: Properties(), body: [], mandatory: true)
            guard case .returned(let returned) = try connection.receive(timeoutMilliseconds: 5000) else {
                Issue.record("there should be a return")
                return
            }
            #expect(returned.replyText == "NO_ROUTE" && returned.sequence == 0)
        }

        @Test("a full queue refuses by sequence", arguments: [0, 1])
        func nack(length: Int) async throws {
            var connection = try await connect()
            let queue = uniqueName("full")
            let arguments: FieldTable = ["x-max-length": .int(Int64(length)), "x-overflow": "reject-publish"]
            try connection.declareQueue(queue, exclusive: true, arguments: arguments)
            try connection.enableConfirms()
            for _ in 0..<length {
                try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "fits")
            }
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            let refused = try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "does not")
            #expect(try connection.awaitConfirms(timeoutSeconds: 10) == ConfirmOutcome(nacked: [refused]))
        }

        @Test("a deleted queue cancels its consumer")
        func cancelNotification() async throws {
            var consumer = try await connect()
            var other = try await connect()
            let queue = uniqueName("deleted")
            try consumer.declareQueue(queue)
            try consumer.consume(queue, tag: "mine")
            try other.deleteQueue(queue)
            guard case .consumerCancelled(let tag) = try consumer.receive(timeoutMilliseconds: 5000) else {
                Issue.record("there should be a cancellation")
                return
            }
            #expect(tag == "mine")
            #expect(try consumer.inspectQueue(queue) == nil)
        }

        @Test("a channel error carries its reply code, and the channel can be opened again")
        func channelErrors() async throws {
            var connection = try await connect()
            let queue = uniqueName("channel-errors")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            do {
                try connection.consume(uniqueName("absent"), tag: "c")
                Issue.record("there is no such queue")
            } catch { #expect(error.kind == .channel && error.replyCode == 404 && !error.isConnectionLoss) }
            #expect(!connection.isChannelOpen && connection.isUsable)
            do {
                try connection.ack(1)
                Issue.record("the channel is closed")
            } catch { #expect(error.replyCode == 404) }
            try connection.reopenChannel()
            do {
                try connection.declareQueue(queue, exclusive: true, arguments: ["x-max-length": 5])
                Issue.record("the queue is there with other arguments")
            } catch { #expect(error.replyCode == 406) }
            try connection.reopenChannel()
            try connection.publish(exchange: uniqueName("absent"), routingKey: "k", properties: Properties(), body: "x")
            do {
                _ = try connection.awaitConfirms(timeoutSeconds: 10)
                Issue.record("there is no such exchange")
            } catch { #expect(error.replyCode == 404) }
            try connection.reopenChannel()
            try connection.consume(queue, tag: "c")
            try connection.reopenChannel()
            #expect(try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "x") == 1)
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            #expect(try connection.inspectQueue(uniqueName("absent")) == nil)
            #expect(try connection.inspectQueue(queue) == QueueInfo(name: queue, messageCount: 1, consumerCount: 0))
            #expect(try connection.purge(queue) == 1)
        }

        @Test("looking at a queue is not disturbed by the channel closing meanwhile")
        func inspectWhileClosing() async throws {
            var connection = try await connect()
            let queue = uniqueName("inspected")
            try connection.declareQueue(queue, exclusive: true)
            try connection.publish(exchange: uniqueName("absent"), routingKey: "k", properties: Properties(), body: "x")
            #expect(try connection.inspectQueue(queue)?.messageCount == 0)
            do {
                while true { _ = try connection.receive(timeoutMilliseconds: 5000) }
            } catch { #expect(error.replyCode == 404) }
            try connection.reopenChannel()
            #expect(try connection.purge(queue) == 0)
        }

        @Test("wrong credentials and an unknown virtual host are refused with the broker's code")
        func refusedLogin() async throws {
            let url = try await testBrokerURL()
            var stranger = try #require(URLComponents(string: url))
            stranger.password = "wrong"
            for (wrong, code) in [(try #require(stranger.string), 403), (url + "-nowhere", 530)] {
                do {
                    _ = try Connection(BrokerURL(wrong), name: "refused")
                    Issue.record("the login should have been refused")
                } catch {
                    #expect(error.kind == .connection && error.replyCode == code && !error.description.contains("wrong"))
                }
            }
        }

        @Test("an address where nobody listens is a connection loss")
        func nobody() throws {
            let error = #expect(throws: AMQPError.self) { _ = try Connection(BrokerURL("amqp://127.0.0.1:1"), name: "nobody") }
            #expect(error?.isConnectionLoss == true)
        }

        @Test("heartbeats keep an idle connection alive when it is only looked at now and then")
        func heartbeat() async throws {
            var connection = try await connect(heartbeatSeconds: 1)
            for _ in 0..<12 {
                try await Task.sleep(for: .milliseconds(400))
                if let event = try connection.receive(timeoutMilliseconds: 0) { Issue.record("nothing should come: \(event)") }
            }
            #expect(connection.isUsable == true)
        }

        @Test("a connection that the broker closes is a connection loss with its code")
        func closedByBroker() async throws {
            let url = try BrokerURL(try await testBrokerURL())
            let (connected, told) = AsyncStream.makeStream(of: Void.self)
            // Reading blocks, so it has a thread of its own.
            async let closed: AMQPError? = withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    do throws(AMQPError) {
                        var connection = try Connection(url, name: "to be closed")
                        told.finish()
                        while true { _ = try connection.receive(timeoutMilliseconds: 20_000) }
                    } catch {
                        continuation.resume(returning: error)
                    }
                }
            }
            for await _ in connected {}
            _ = try await TestBroker.shared.running().node.run(ctl: [
                "close_all_connections", "--vhost", "tenantry", "enough of it",
            ])
            let error = await closed
            #expect(error?.kind == .connection && error?.replyCode == 320 && error?.isConnectionLoss == true)
        }

        @Test("a connection that breaks without a word is a connection loss", arguments: [false, true])
        func broken(whilePublishing: Bool) async throws {
            var connection = try await connect("broken")
            try connection.enableConfirms()
            shutdown(connection.descriptor, Int32(SHUT_RDWR))
            do {
                repeat {
                    if whilePublishing {
                        try connection.publish(exchange: "", routingKey: "nowhere", properties: Properties(), body: "x")
                    } else {
                        _ = try connection.receive(timeoutMilliseconds: 1000)
                    }
                } while true
            } catch { #expect(error.kind == .connection && error.isConnectionLoss) }
            #expect(connection.descriptor == -1)
        }

        @Test("a memory alarm blocks publishes, and says so")
        func blocked() async throws {
            var connection = try await connect("blocked")
            let queue = uniqueName("blocked")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            _ = try await TestBroker.shared.running().node.run(ctl: ["set_vm_memory_high_watermark", "0.00001"])
            var sawBlocked = false
            do {
                try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "x")
                _ = try connection.awaitConfirms(timeoutSeconds: 2)
            } catch { #expect(error.kind == .blocked) }
            while let event = try connection.receive(timeoutMilliseconds: 100) { if case .blocked = event { sawBlocked = true } }
            #expect(sawBlocked && connection.isBlocked)
            _ = try await TestBroker.shared.running().node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            #expect(connection.isBlocked == false)
        }
    }
}
