internal import Contract

/// Which URLs may be called. Names are looked at when they are called, because what they mean may change.
struct DestinationRule: Sendable {
    /// Whether this machine may be called, over http too.
    let allowsLoopback: Bool

    /// What can be said of a URL before anything is looked up.
    ///
    /// - Throws: `Rejection` (`invalid_payload` at `/url`).
    func check(_ text: String) throws(Rejection) {
        guard let url = WebhookURL(text) else { throw .invalid("/url", "must be a URL") }
        let literal = NetworkAddress(literal: url.host)
        if let literal, let obstacle = obstacle(to: literal) { throw .invalid("/url", obstacle) }
        guard url.isSecure || allowsLoopback && (literal?.isLoopback ?? (url.host == "localhost")) else {
            throw .invalid("/url", "must begin with https://, so that nobody on the way reads what is sent")
        }
    }

    /// Where to connect to for a URL, out of what its host was found to mean.
    ///
    /// - Throws: ``Refusal`` where none of the addresses may be called.
    func choose(_ addresses: [NetworkAddress], for url: WebhookURL) throws(Refusal) -> NetworkAddress {
        guard let chosen = addresses.first(where: { obstacle(to: $0) == nil }) else { throw Self.noAddress(of: url.host) }
        guard url.isSecure || chosen.isLoopback else {
            throw Refusal(description: "\(url.host) is not this machine: only https is sent there")
        }
        return chosen
    }

    /// The same for a name that there is not: which names there are among ourselves is not for customers to find out.
    static func noAddress(of host: String) -> Refusal { Refusal(description: "\(host) has no address that may be called") }

    /// Why an address is not called.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private func obstacle(to address: NetworkAddress) -> String? {
        guard let restriction = address.restriction else { return nil }
        if allowsLoopback, address.isLoopback { return nil }
        return "address \(address.text) is not called: it is \(restriction)"
    }
}
