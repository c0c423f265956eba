internal import Crypto
internal import Foundation

/// What signs a webhook's messages, 256 random bits. Source: [Standard Webhooks](https://www.standardwebhooks.com).
struct WebhookSecret: Sendable, Equatable {
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    static func make() -> WebhookSecret {
        WebhookSecret(bytes: SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
    }

    /// `whsec_` and base64, as the receiver is given it.
    var text: String { "whsec_" + Data(bytes).base64EncodedString() }

    /// `v1,` and the base64 of an HMAC-SHA-256.
    ///
    /// - Parameter seconds: since 1970, as in the header `webhook-timestamp`.
    func signature(id: String, seconds: Int64, body: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        code.update(data: Array("\(id).\(seconds).".utf8))
        code.update(data: body)
        return "v1," + Data(code.finalize()).base64EncodedString()
    }
}
