import Crypto
import Foundation

struct NotOurs: Error {}

func receive(secret: String, headers: [String: String], body: Data) throws -> Any {
    guard let id = headers["webhook-id"], let timestamp = headers["webhook-timestamp"], let seconds = Double(timestamp),
        abs(Date().timeIntervalSince1970 - seconds) < 300,
        let key = Data(base64Encoded: secret.replacingOccurrences(of: "whsec_", with: "")),
        let signatures = headers["webhook-signature"]?.split(separator: " ")
    else { throw NotOurs() }
    let signed = Data("\(id).\(timestamp).".utf8) + body
    let isOurs = signatures.contains { signature in
        guard signature.hasPrefix("v1,"), let code = Data(base64Encoded: String(signature.dropFirst(3))) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: SymmetricKey(data: key))
    }
    guard isOurs else { throw NotOurs() }
    return try JSONSerialization.jsonObject(with: body)
}
