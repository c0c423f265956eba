internal import Glibc

/// An IP address, and whether it is one that a customer may have us call.
struct NetworkAddress: Sendable, Hashable {
    /// 4 or 16 bytes, in network order.
    let bytes: [UInt8]
    /// As it is written in a URL or an address book: `192.0.2.1`, `2001:db8::1`.
    let text: String

    init?(_ info: addrinfo) {
        switch info.ai_family {
        case AF_INET where Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
            let address = UnsafeRawPointer(info.ai_addr!).loadUnaligned(as: sockaddr_in.self).sin_addr
            self.init(bytes: withUnsafeBytes(of: address) { Array($0) })
        case AF_INET6 where Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
            let address = UnsafeRawPointer(info.ai_addr!).loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self.init(bytes: withUnsafeBytes(of: address) { Array($0) })
        default: return nil
        }
    }

    /// - Parameter bytes: 4 or 16.
    init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16)
        self.bytes = bytes
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &buffer, socklen_t(buffer.count))
        text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The address that a text is, in any form that a resolver takes for one without asking: `2130706433` and `0x7f.1` are 127.0.0.1.
    /// nil: it is a name.
    init?(literal text: String) {
        guard let address = Self.resolve(text, flags: AI_NUMERICHOST).0.first else { return nil }
        self = address
    }

    /// What the system's resolver says; empty for a name that there is not. It waits for servers of names.
    ///
    /// - Throws: ``AddressResolver/Failure`` where they did not answer.
    static func lookUp(_ host: String) throws(AddressResolver.Failure) -> [NetworkAddress] {
        let (addresses, code) = resolve(host, flags: 0)
        guard code != EAI_AGAIN else { throw AddressResolver.Failure(description: "the servers of names do not answer") }
        return addresses
    }

    /// - Returns: what was found, and `getaddrinfo`'s code.
    private static func resolve(_ host: String, flags: Int32) -> ([NetworkAddress], Int32) {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return ([], code) }
        defer { freeaddrinfo(list) }
        let found = sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { $0 }
        return (found.compactMap { NetworkAddress($0.pointee) }, 0)
    }
}

extension NetworkAddress {
    var isLoopback: Bool {
        if let inner = ipv4Inside { return inner[0] == 127 }
        return bytes.count == 4 ? bytes[0] == 127 : bytes == Self.loopback6
    }

    private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

    /// Why nobody but the machines around it is reached by it; nil: it is a public one.
    /// Source: IANA's registries of [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
    /// [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry) special-purpose addresses.
    var restriction: String? {
        guard bytes.count == 16 else { return Self.restriction(ofIPv4: bytes) }
        if isLoopback { return "loopback" }
        if let inner = ipv4Inside { return Self.restriction(ofIPv4: inner) }
        if let block = Self.blocks6.first(where: { $0.holds(bytes) }) { return block.name }
        // All that is not given out for unicast yet.
        return bytes[0] & 0xE0 == 0x20 ? nil : "reserved"
    }

    private static func restriction(ofIPv4 bytes: [UInt8]) -> String? { blocks4.first { $0.holds(bytes) }?.name }

    /// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64), 6to4, or of ISATAP.
    private var ipv4Inside: [UInt8]? {
        guard bytes.count == 16 else { return nil }
        if Self.mapped.holds(bytes) || Self.translated.holds(bytes) { return Array(bytes[12...]) }
        if Self.compatible.holds(bytes), bytes != Self.loopback6, bytes != [UInt8](repeating: 0, count: 16) {
            return Array(bytes[12...])
        }
        if Self.sixToFour.holds(bytes) { return Array(bytes[2..<6]) }
        if bytes[8] & 0xFD == 0, bytes[9] == 0, bytes[10] == 0x5E, bytes[11] == 0xFE { return Array(bytes[12...]) }
        return nil
    }

    private static let mapped = Block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 96, "mapped")
    private static let compatible = Block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96, "compatible")
    private static let translated = Block([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], 96, "translated")
    private static let sixToFour = Block([0x20, 0x02], 16, "6to4")

    private static let blocks4 = [
        Block([0], 8, "unspecified"), Block([10], 8, "private"), Block([100, 64], 10, "shared"), Block([127], 8, "loopback"),
        Block([169, 254], 16, "link-local"), Block([172, 16], 12, "private"), Block([192, 0, 0], 24, "reserved"),
        Block([192, 0, 2], 24, "reserved"), Block([192, 88, 99], 24, "reserved"), Block([192, 168], 16, "private"),
        Block([198, 18], 15, "reserved"), Block([198, 51, 100], 24, "reserved"), Block([203, 0, 113], 24, "reserved"),
        Block([224], 4, "multicast"), Block([240], 4, "reserved"),
    ]

    private static let blocks6 = [
        Block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified"), Block([0xFC], 7, "unique-local"),
        Block([0xFE, 0x80], 10, "link-local"), Block([0xFE, 0xC0], 10, "site-local"), Block([0xFF], 8, "multicast"),
        Block([0x20, 0x01, 0, 0], 23, "reserved"), Block([0x20, 0x01, 0x0D, 0xB8], 32, "reserved"),
        Block([0x3F, 0xFF, 0], 20, "reserved"),
    ]

    /// All addresses that begin with the same bits.
    private struct Block {
        let prefix: [UInt8]
        let bits: Int
        let name: String

        init(_ prefix: [UInt8], _ bits: Int, _ name: String) {
            self.prefix = prefix
            self.bits = bits
            self.name = name
        }

        func holds(_ bytes: [UInt8]) -> Bool {
            (0..<bits).allSatisfy { bit in
                let mask = UInt8(0x80) >> (bit % 8)
                return bytes[bit / 8] & mask == (bit / 8 < prefix.count ? prefix[bit / 8] : 0) & mask
            }
        }
    }
}
