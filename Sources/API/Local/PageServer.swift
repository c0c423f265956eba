package import Hummingbird

/// Answers what is asked for outside of `/v1`: pages for people.
package protocol PageServer: Sendable {
    /// - Parameter address: the network address that the request comes from.
    func respond(to request: Request, from address: String) async -> Response
}
