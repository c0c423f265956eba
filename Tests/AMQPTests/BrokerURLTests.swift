import AMQP
import Testing

@Suite("A broker URL")
struct BrokerURLTests {
    @Test("takes RabbitMQ's defaults for what it leaves out", arguments: ["amqp://", "amqp://localhost", "amqp://localhost/"])
    func defaults(url: String) throws {
        let url = try BrokerURL(url)
        #expect(url.host == "localhost" && url.port == 5672 && url.user == "guest" && url.virtualHost == "/" && !url.usesTLS)
        #expect(try BrokerURL("amqps://host").port == 5671)
    }

    @Test("decodes percent signs in user, password and virtual host, and hides the password")
    func percentDecoding() throws {
        let url = try BrokerURL("amqp://us%40er:p%2Fa%3As%25@broker.example:1234/%2Fsome%20host")
        #expect(url.user == "us@er" && url.host == "broker.example" && url.port == 1234 && url.virtualHost == "/some host")
        #expect(url.description == "amqp://us%40er@broker.example:1234/%2Fsome%20host")
        var dumped = ""
        dump(url, to: &dumped)
        for shown in [url.description, url.debugDescription, "\(url)", dumped] { #expect(!shown.contains("p/a:s%")) }
    }

    @Test("reads an IPv6 address in brackets")
    func addressInBrackets() throws {
        let url = try BrokerURL("amqp://[::1]:5673/x")
        #expect(url.host == "::1" && url.port == 5673 && url.description == "amqp://guest@[::1]:5673/x")
    }

    @Test("reads query parameters and ignores those it does not know")
    func parameters() throws {
        let url = try BrokerURL(
            "amqps://h/v?heartbeat=5&connection_timeout=250&cacertfile=/a%20b.pem&certfile=c&keyfile=k&verify=verify_none&x=y")
        #expect(url.heartbeatSeconds == 5 && url.connectTimeoutMilliseconds == 250 && url.authorityFile == "/a b.pem")
        #expect(url.certificateFile == "c" && url.keyFile == "k" && !url.verifiesPeer)
        #expect(try BrokerURL("amqps://h").verifiesPeer)
    }

    @Test(
        "refuses nonsense without quoting the password",
        arguments: [
            "http://a:s3cret@h", "amqp://a:s3cret%@h", "amqp://a:s3cret%00@h", "amqp://a:s3cret@h:0", "amqp://a:s3cret@h:65536",
            "amqp://a:s3cret@[::1", "amqp://a:s3cret@h/?heartbeat=-1", "amqps://a:s3cret@h?certfile=x", "amqp://a:s3cret%ff@h",
            "amqps://a:s3cret@h?verify=maybe", "amqp://a:s3cret@h:12:13",
        ])
    func nonsense(url: String) {
        let error = #expect(throws: AMQPError.self) { try BrokerURL(url) }
        #expect(error?.kind == .usage)
        #expect(error?.description.contains("s3cret") == false)
    }
}
