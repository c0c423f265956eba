public import Contract
internal import Crypto

/// Strong entity tags (RFC 9110, section 8.8.3) of what can be changed: they follow from what is shown, and from nothing else.
public enum EntityTag {
    /// 32 hexadecimal digits, without quotes: the first half of the SHA-256 of the value's bytes, in which names are in order.
    public static func of(_ shown: JSONValue) -> String {
        SHA256.hash(data: shown.serialised()).prefix(16).hexadecimal
    }
}
