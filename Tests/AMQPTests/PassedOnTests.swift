internal import Foundation
internal import Testing

@testable internal import AMQP

extension Properties {
    /// With headers as they stand on the wire.
    fileprivate init(fields: [WireField]) {
        self.init(headers: WireField.table(fields).withUnsafeBytes { FieldTable(wire: $0) })
    }
}

extension Delivery {
    fileprivate var fields: [WireField] { WireField.read(headerBytes.map { Array($0) } ?? []) }
}

extension BrokerTests {
    /// What others wrote goes on as they wrote it, and nothing that the broker may deliver ends a connection.
    @Suite("What is passed on")
    struct PassedOnTests {
        private func connect() async throws -> Connection {
            try Connection(BrokerURL(try await testBrokerURL()), name: "wire tests")
        }

        @Test("Headers of every kind, of any depth and under any name have the same bytes when they are published again")
        func headers() async throws {
            var connection = try await connect()
            let queue = uniqueName("strange")
            try connection.declareQueue(queue, exclusive: true)
            var properties = Properties(fields: WireField.strange)
            for _ in 0..<3 {
                try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
                let fetched = try connection.get(queue)
                let delivery = try #require(fetched)
                #expect(delivery.fields == WireField.strange)
                properties = delivery.properties
            }
            // What is changed beside them leaves them alone.
            properties.headers["own"] = 1
            properties.headers["twice"] = "once"
            properties.headers["int8"] = nil
            try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
            let fetched = try connection.get(queue)
            let changed = try #require(fetched).fields
            let kept = WireField.strange.filter { !["twice", "int8"].contains(String(decoding: $0.name, as: UTF8.self)) }
            #expect(changed.filter { kept.contains($0) } == kept && changed.count == kept.count + 2)
            #expect(changed.contains(WireField("twice", "S", Array("once".utf8))))
        }

        @Test("Numbers of any width are read, and a value that cannot be read says so")
        func reading() async throws {
            var connection = try await connect()
            let queue = uniqueName("reading")
            try connection.declareQueue(queue, exclusive: true)
            try connection.publish(exchange: "", routingKey: queue, properties: Properties(fields: WireField.strange), body: "x")
            let fetched = try connection.get(queue)
            let delivery = try #require(fetched)
            #expect(delivery.headerInt("int32") == -5 && delivery.headerInt("uint32") == 4_000_000_000)
            #expect(delivery.headerInt("int16") == -32_768 && delivery.headerInt("uint8") == 255)
            let headers = delivery.headers
            #expect(headers["decimal"]?.number == 123.45 && headers["float"]?.number == 1.5 && headers["double"]?.number == 1.5)
            #expect(headers["uint16"]?.integer == 65_535 && headers["no utf-8"] == .rawText([0xFF, 0xFE, 0x41]))
            #expect(headers["flag"] == true && headers["null"] == .null && headers["twice"] == "A")
        }

        @Test("Texts of any bytes have the same bytes when they are published again, until they are set")
        func texts() async throws {
            var connection = try await connect()
            let queue = uniqueName("texts")
            try connection.declareQueue(queue, exclusive: true)
            let strange: [UInt8] = [0xFF, 0xC3, 0x28, 0] + [UInt8](repeating: 0x80, count: 251)
            let texts = PropertyField.texts.filter { $0 != .expiration && $0 != .userID }
            var wire: [UInt8] = withUnsafeBytes(of: texts.reduce(0) { $0 | $1.rawValue }.bigEndian) { Array($0) }
            for _ in texts { wire += [255] + strange }
            var properties = wire.withUnsafeBytes { Properties(wire: $0) }
            for _ in 0..<2 {
                try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
                let fetched = try connection.get(queue)
                properties = try #require(fetched).properties
                #expect(try properties.wire() == wire)
            }
            properties.correlationID = "mine"
            properties.messageID = properties.messageID.map { String($0.prefix(2)) }
            try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
            let fetched = try connection.get(queue)
            let delivery = try #require(fetched)
            #expect(delivery.correlationID == "mine" && delivery.messageID == "\u{FFFD}\u{FFFD}")
            #expect(delivery.typeBytes?.elementsEqual(strange) == true)
        }

        /// A message whose headers fill the broker's frame to the last byte.
        private func publishFull(_ connection: inout Connection, to queue: String) throws {
            // Ours is a careful estimate; the broker counts what arrives.
            connection.frameMaxBytes += 4_096
            defer { connection.frameMaxBytes -= 4_096 }
            // Class, weight and size; flags; delivery mode; the table's length; the header's name, kind and length.
            let spare = 131_064 - 12 - 2 - 1 - 4 - (1 + 7 + 1 + 4)
            let properties = Properties(headers: ["ballast": .bytes([UInt8](repeating: 7, count: spare))])
            try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "full")
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
        }

        @Test("A message with headers that fill a frame is received again when the broker has added to them")
        func outgrown() async throws {
            var connection = try await connect()
            try connection.enableConfirms()
            let (queue, dead) = (uniqueName("full"), uniqueName("dead"))
            try connection.declareQueue(dead, exclusive: true)
            try connection.declareQueue(
                queue,
                arguments: [
                    "x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .text(dead),
                ])
            try publishFull(&connection, to: queue)
            for number in 0..<3 {
                let fetched = try connection.get(queue)
                let delivery = try #require(fetched)
                #expect(delivery.headerInt("x-delivery-count") ?? 0 == Int64(number))
                #expect(delivery.propertyBytes >= 131_052)
                try connection.nack(delivery.deliveryTag, requeue: number < 2)
            }
            var letter: Delivery?
            for _ in 0..<500 where letter == nil {
                letter = try connection.get(dead)
                if letter == nil { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(try #require(letter).propertyBytes > 131_072)
            // Neither a long body nor the channel suffers from frames that are larger than those agreed on.
            let body = [UInt8](repeating: 9, count: 300_001)
            try connection.publish(exchange: "", routingKey: dead, properties: Properties(messageID: "long"), body: body)
            #expect(try connection.awaitConfirms(timeoutSeconds: 10).isSuccess)
            let long = try connection.get(dead)
            #expect(try #require(long).body.elementsEqual(body) && connection.isUsable)
            try connection.deleteQueue(queue)
        }

        @Test("Arrays within each other as deep as a frame allows are received and sent on by a thread like the worker's")
        func deepest() async throws {
            let url = try BrokerURL(try await testBrokerURL())
            let found: [WireField] = try await withCheckedThrowingContinuation { continuation in
                let thread = Thread {
                    continuation.resume(
                        with: Result {
                            var connection = try Connection(url, name: "wire tests")
                            let queue = uniqueName("deep")
                            try connection.declareQueue(queue, exclusive: true)
                            var properties = Properties(fields: [WireField("deep", "A", WireField.nested(levels: 26_100))])
                            var fields: [WireField] = []
                            for _ in 0..<2 {
                                try connection.publish(exchange: "", routingKey: queue, properties: properties, body: "x")
                                guard let delivery = try connection.get(queue) else { return [] }
                                (properties, fields) = (delivery.properties, delivery.fields)
                            }
                            return fields
                        })
                }
                thread.stackSize = 8 << 20
                thread.start()
            }
            #expect(found.map(\.value) == [WireField.nested(levels: 26_100)])
        }
    }
}
