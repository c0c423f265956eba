import AMQP
import Testing

/// A name no other test has.
func uniqueName(_ purpose: String) -> String { "\(purpose)-\(UInt64.random(in: 0 ... .max))" }

extension Connection {
    /// The next delivery, skipping other events.
    mutating func nextDelivery(timeoutMilliseconds: Int = 10_000) throws -> Delivery? {
        while let event = try receive(timeoutMilliseconds: timeoutMilliseconds) {
            if case .delivery(let delivery) = event { return delivery }
        }
        return nil
    }
}

extension BrokerTests {
    @Suite("Messages on a real broker")
    struct MessageTests {
        private func connect() async throws -> Connection {
            try Connection(BrokerURL(try await testBrokerURL()), name: "message tests")
        }

        private let everything = Properties(
            contentType: "application/json", contentEncoding: "identity",
            headers: [
                "bool": true, "int": -7, "big": 9_007_199_254_740_993, "double": .double(1.5), "text": "grüße", "empty": "",
                "bytes": .bytes([0, 255]), "time": .timestamp(1_700_000_000), "null": .null,
                "array": .array([1, "two", .table(["three": 3]), .array([])]),
                "table": .table(["inner": .table(["deep": false])]),
            ],
            deliveryMode: .persistent, priority: 3, correlationID: "correlation", replyTo: "reply", expiration: "600000",
            messageID: "message-1", timestamp: 1_234_567_890, type: "conversation.log", userID: "tenantry", appID: "app")

        @Test("come back with every property and header type", arguments: [false, true])
        func roundTrip(byGet: Bool) async throws {
            var connection = try await connect()
            let queue = uniqueName("round-trip")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            #expect(try connection.publish(exchange: "", routingKey: queue, properties: everything, body: "{}") == 1)
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            if !byGet { try connection.consume(queue, tag: "a-consumer-with-a-long-tag") }
            let delivery = try #require(byGet ? try connection.get(queue) : try connection.nextDelivery())
            #expect(delivery.properties == everything)
            #expect(delivery.routingKey == queue && delivery.exchange == "" && delivery.deliveryTag == 1 && !delivery.redelivered)
            #expect(delivery.consumerTag == (byGet ? "" : "a-consumer-with-a-long-tag"))
            #expect(delivery.body.elementsEqual("{}".utf8) && delivery.bodyBytes == 2)
            #expect(delivery.header("text").map { String(decoding: $0, as: UTF8.self) } == "grüße")
            #expect(delivery.headerText("empty") == "" && delivery.header("int") == nil && delivery.header("absent") == nil)
            #expect(delivery.headerInt("int") == -7 && delivery.headerInt("big") == 9_007_199_254_740_993)
            #expect(delivery.headerInt("text") == nil && delivery.timestamp == 1_234_567_890)
            try connection.ack(delivery.deliveryTag)
            if byGet { #expect(try connection.get(queue) == nil) }
            connection.close()
            #expect(!connection.isUsable && connection.descriptor == -1)
        }

        @Test("without any property arrive as such, with an empty body")
        func bare() async throws {
            var connection = try await connect()
            let queue = uniqueName("bare")
            try connection.declareQueue(queue, exclusive: true)
            let bare = Properties(deliveryMode: nil)
            try connection.publish(exchange: "", routingKey: queue, properties: bare, body: [])
            try connection.consume(queue, tag: "c")
            let delivery = try #require(try connection.nextDelivery())
            #expect(
                delivery.properties == bare && delivery.body.isEmpty && delivery.messageID == nil && delivery.header("x") == nil)
        }

        @Test("of megabytes arrive whole", arguments: [131_064, 1 << 20, 16 << 20])
        func large(bytes: Int) async throws {
            var connection = try await connect()
            let queue = uniqueName("large")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            let body = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
            try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: body)
            #expect(try connection.awaitConfirms(timeoutSeconds: 30).isSuccess)
            try connection.consume(queue, tag: "c")
            let delivery = try #require(try connection.nextDelivery())
            #expect(delivery.bodyBytes == bytes && delivery.body.elementsEqual(body))
        }

        @Test("by the ten thousand keep their order, with a window of confirms")
        func many() async throws {
            var connection = try await connect()
            let queue = uniqueName("many")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            let count = 50_000
            let body = [UInt8](repeating: 0x20, count: 400)
            var properties = Properties(contentType: "application/json", headers: ["tenant": "acme"], type: "conversation.log")
            let clock = ContinuousClock()
            let publishing = try clock.measure {
                for number in 0..<count {
                    properties.messageID = "job-\(number)"
                    try connection.publish(exchange: "", routingKey: queue, properties: properties, body: body)
                    if connection.unconfirmedCount >= 2000 {
                        #expect(try connection.awaitConfirms(downTo: 1000, timeoutSeconds: 30).isSuccess)
                    }
                }
                #expect(try connection.awaitConfirms(timeoutSeconds: 30).isSuccess)
            }
            try connection.setPrefetch(2000)
            try connection.consume(queue, tag: "c")
            var inOrder = 0
            let consuming = try clock.measure {
                while inOrder < count, let delivery = try connection.nextDelivery() {
                    if delivery.messageID == "job-\(inOrder)" { inOrder += 1 } else { break }
                    if inOrder.isMultiple(of: 500) { try connection.ack(delivery.deliveryTag, multiple: true) }
                }
            }
            #expect(inOrder == count)
            print("\(count) messages: published in \(publishing), consumed in \(consuming)")
        }

        @Test("that arrive while confirms are awaited are received afterwards, in order")
        func interleaved() async throws {
            var connection = try await connect()
            let queue = uniqueName("interleaved")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            try connection.consume(queue, tag: "c")
            for number in 0..<1000 {
                try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "\(number)")
                if number.isMultiple(of: 100) { #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess) }
            }
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            #expect(try connection.inspectQueue(queue)?.consumerCount == 1)
            for number in 0..<1000 {
                let delivery = try #require(try connection.nextDelivery())
                #expect(delivery.body.elementsEqual("\(number)".utf8))
            }
            #expect(connection.hasBufferedInput == false)
            if let event = try connection.receive(timeoutMilliseconds: 0) {
                Issue.record("there should be nothing left: \(event)")
            }
        }

        @Test("of a quorum queue count their deliveries in a header")
        func deliveryCount() async throws {
            var connection = try await connect()
            let queue = uniqueName("quorum")
            try connection.declareQueue(queue, arguments: ["x-queue-type": "quorum"])
            try connection.setPrefetch(10)
            try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "x")
            try connection.consume(queue, tag: "c")
            let first = try #require(try connection.nextDelivery())
            #expect(first.headerInt("x-delivery-count") == nil)
            try connection.nack(first.deliveryTag, requeue: true)
            let second = try #require(try connection.nextDelivery())
            #expect(second.redelivered && second.headerInt("x-delivery-count") == 1)
            try connection.ack(second.deliveryTag)
            try connection.cancel("c")
            try connection.deleteQueue(queue)
        }

        @Test("that AMQP cannot carry are refused and do no harm")
        func unsendable() async throws {
            var connection = try await connect()
            let queue = uniqueName("unsendable")
            try connection.declareQueue(queue, exclusive: true)
            let long = String(repeating: "x", count: 256)
            for properties in [
                Properties(messageID: long), Properties(headers: [long: 1]),
                Properties(headers: ["h": .text(String(repeating: "x", count: 140_000))]),
            ] {
                do {
                    try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
                    Issue.record("the publish should have been refused")
                } catch {
                    #expect(error.kind == .usage)
                }
            }
            try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: "fine")
            try connection.consume(queue, tag: "c")
            let delivery = try #require(try connection.nextDelivery())
            #expect(delivery.withBody { $0.elementsEqual("fine".utf8) })
        }
    }
}
