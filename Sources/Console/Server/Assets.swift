internal import Crypto
internal import NIOCore

/// The files that pages load, in the binary. The digest of their content is in their paths, so that browsers may keep them for good.
enum Assets {
    struct Asset: Sendable {
        let path: String
        let type: String
        let bytes: ByteBuffer

        init(_ name: String, _ type: String, _ content: [UInt8]) {
            let digest = SHA256.hash(data: content).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            path = "/assets/\(digest)/\(name)"
            self.type = type
            bytes = ByteBuffer(bytes: content)
        }
    }

    static let style = Asset("console.css", "text/css; charset=utf-8", PackageResources.console_css)
    static let script = Asset("console.js", "text/javascript; charset=utf-8", PackageResources.console_js)
    static let icon = Asset("icon.svg", "image/svg+xml", PackageResources.icon_svg)

    static let byPath = Dictionary(uniqueKeysWithValues: [style, script, icon].map { ($0.path, $0) })
}
