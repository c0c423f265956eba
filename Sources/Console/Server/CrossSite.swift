internal import HTTPTypes

/// Refuses what another site has a browser send in its visitor's name.
///
/// Browsers say by `Sec-Fetch-Site` where a request comes from; those that do not, by `Origin`. What says neither is no browser, and brings nobody's cookie
/// against their will. Source: [Fetch Metadata](https://www.w3.org/TR/fetch-metadata/).
enum CrossSite {
    /// Whether a request that would change something comes from elsewhere.
    static func isRefused(_ headers: HTTPFields, host: String?) -> Bool {
        if let site = headers[HTTPField.Name("Sec-Fetch-Site")!] { return site != "same-origin" && site != "none" }
        guard let origin = headers[.origin] else { return false }
        guard let host, let scheme = origin.range(of: "://") else { return true }
        return origin[scheme.upperBound...].lowercased() != host.lowercased()
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { ranges(of: text).first }
}
