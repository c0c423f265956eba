internal import Contract
internal import Testing

@testable internal import Webhooks

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "192.0.1.0", "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
        "2002:808:808::1",
    ])
    func `A public address may be called`(text: String) throws {
        #expect(try #require(NetworkAddress(literal: text)).restriction == nil)
    }

    @Test(arguments: [
        ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"), ("10.0.0.1", "private"), ("172.16.0.1", "private"),
        ("172.31.255.255", "private"), ("192.168.1.1", "private"), ("100.64.0.1", "shared"), ("100.127.255.255", "shared"),
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("169.254.169.254", "link-local"), ("192.0.0.8", "reserved"),
        ("192.0.2.1", "reserved"), ("198.18.0.1", "reserved"), ("198.19.255.255", "reserved"), ("203.0.113.9", "reserved"),
        ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"), ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"), ("::", "unspecified"), ("::1", "loopback"), ("fe80::1", "link-local"),
        ("fec0::1", "site-local"), ("fc00::1", "unique-local"), ("fd12:3456::1", "unique-local"), ("ff02::1", "multicast"),
        ("2001:db8::1", "reserved"), ("2001::1", "reserved"), ("100::1", "reserved"), ("4000::1", "reserved"),
        ("3fff::1", "reserved"), ("64:ff9b:1::1", "reserved"),
        // IPv4 inside IPv6, in each way.
        ("::ffff:127.0.0.1", "loopback"), ("::ffff:10.0.0.1", "private"), ("::ffff:a9fe:a9fe", "link-local"),
        ("::127.0.0.1", "loopback"), ("::10.0.0.1", "private"), ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "loopback"), ("2002:7f00:1::", "loopback"), ("2002:a00:1::1", "private"),
        ("2606:4700::5efe:10.0.0.1", "private"), ("2606:4700::200:5efe:192.168.0.1", "private"),
        // And IPv4 in the forms that resolvers take.
        ("2130706433", "loopback"), ("0x7f.1", "loopback"), ("0x7f000001", "loopback"), ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"), ("167772161", "private"), ("0xa9fea9fe", "link-local"), ("10.1", "private"),
    ])
    func `An address that only we reach may not`(text: String, restriction: String) throws {
        #expect(try #require(NetworkAddress(literal: text)).restriction == restriction)
    }

    @Test(arguments: ["localhost", "example.com", "1.2.3.4.example", "2130706433x", "0x", "a1.b2"])
    func `A name is no address`(text: String) {
        #expect(NetworkAddress(literal: text) == nil)
    }

    @Test(arguments: [
        "https://hooks.example.com/x", "https://1.1.1.1/", "https://[2606:4700::1111]:8443/x?y=z", "https://intranet/",
    ])
    func `A URL may be made that is https and no address that only we reach`(url: String) throws {
        try DestinationRule(allowsLoopback: false).check(url)
    }

    @Test(arguments: [
        "http://hooks.example.com/", "http://localhost:8080/", "http://127.0.0.1/", "https://127.0.0.1/", "https://2130706433/",
        "https://0x7f.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://10.0.0.1/",
        "https://[fd00::1]/", "https://0/",
    ])
    func `Any other may not`(url: String) {
        #expect { try DestinationRule(allowsLoopback: false).check(url) } throws: { error in
            (error as? Rejection)?.code == .invalidPayload && (error as? Rejection)?.field == "/url"
        }
    }

    @Test func `This machine may be called where that is allowed, over http, too, and no other that way`() throws {
        let rule = DestinationRule(allowsLoopback: true)
        for url in ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/", "https://127.0.0.1/"] { try rule.check(url) }
        for url in ["http://hooks.example.com/", "http://1.1.1.1/", "http://10.0.0.1/", "https://10.0.0.1/", "http://0.0.0.0/"] {
            #expect(throws: Rejection.self) { try rule.check(url) }
        }
    }

    @Test func `Of a name's addresses one is called that may be, and over http only this machine`() throws {
        let (inner, outer) = (NetworkAddress(literal: "10.0.0.1")!, NetworkAddress(literal: "1.1.1.1")!)
        let loopback = NetworkAddress(literal: "127.0.0.1")!
        let secure = try #require(WebhookURL("https://hooks.example.com/"))
        let plain = try #require(WebhookURL("http://localhost/"))
        let (strict, lenient) = (DestinationRule(allowsLoopback: false), DestinationRule(allowsLoopback: true))
        #expect(try strict.choose([inner, outer], for: secure) == outer)
        #expect(throws: DestinationRule.Refusal.self) { try strict.choose([inner, loopback], for: secure) }
        #expect(throws: DestinationRule.Refusal.self) { try strict.choose([], for: secure) }
        #expect(throws: DestinationRule.Refusal.self) { try strict.choose([loopback], for: plain) }
        #expect(try lenient.choose([loopback], for: plain) == loopback)
        #expect(throws: DestinationRule.Refusal.self) { try lenient.choose([outer], for: plain) }
    }
}
