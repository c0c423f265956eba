import AMQP
import Embedded
import Foundation
import Testing

extension BrokerTests {
    @Suite("TLS")
    struct TLSTests {
        private func url(host: String = "localhost", _ query: String) async throws -> BrokerURL {
            let broker = try await TestBroker.shared.running()
            let plain = try #require(broker.node.url().flatMap { URLComponents(string: $0) })
            let (user, password, path) = (plain.user ?? "", plain.password ?? "", plain.path)
            return try BrokerURL(
                "amqps://\(user):\(password)@\(host):\(broker.tlsPort)\(path)?\(query.replacing("DIR", with: broker.directory))")
        }

        @Test("carries messages when the authority is the right one")
        func rightAuthority() async throws {
            var connection = try Connection(try await url("cacertfile=DIR/ca.pem"), name: "tls")
            let queue = uniqueName("tls")
            try connection.declareQueue(queue, exclusive: true)
            try connection.enableConfirms()
            let body = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<20 { try connection.publish(exchange: "", routingKey: queue, properties: Properties(), body: body) }
            #expect(try connection.awaitConfirms(timeoutSeconds: 30).isSuccess)
            try connection.consume(queue, tag: "c")
            for _ in 0..<20 {
                let delivery = try #require(try connection.nextDelivery())
                #expect(delivery.body.elementsEqual(body))
            }
        }

        @Test(
            "refuses the wrong authority, the system's authorities, and the wrong host name",
            arguments: [("localhost", "cacertfile=DIR/other.pem"), ("localhost", ""), ("127.0.0.1", "cacertfile=DIR/ca.pem")])
        func refused(host: String, query: String) async throws {
            let url = try await url(host: host, query)
            let error = #expect(throws: AMQPError.self) { _ = try Connection(url, name: "tls") }
            #expect(error?.kind == .connection)
        }

        @Test("does without verification only when told so")
        func unverified() async throws {
            let connection = try Connection(try await url(host: "127.0.0.1", "verify=verify_none"), name: "tls")
            #expect(connection.isUsable == true)
        }
    }
}
