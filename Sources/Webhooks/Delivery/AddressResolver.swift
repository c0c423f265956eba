internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore

/// Finds out what a host's name means. Each question waits on a thread of its own, so that servers of names that do not answer hold up nobody but
/// who asks them.
struct AddressResolver: Sendable {
    private static let stackBytes = 512 << 10

    /// Blocks.
    let lookUp: @Sendable (String) -> (addresses: [NetworkAddress], error: String?)

    static let system = AddressResolver { NetworkAddress.lookUp($0) }

    /// Why there is no address.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Failure``; `CancellationError`.
    func addresses(of host: String, deadline: NIODeadline) async throws -> [NetworkAddress] {
        if let literal = NetworkAddress(literal: host) { return [literal] }
        let loop = HTTPClient.defaultEventLoopGroup.any()
        let promise = loop.makePromise(of: [NetworkAddress].self)
        let timer = loop.scheduleTask(deadline: deadline) {
            promise.fail(Failure(description: "no answer about \(host) from the servers of names"))
        }
        let thread = Thread { [lookUp] in
            let (addresses, error) = lookUp(host)
            if let error {
                promise.fail(Failure(description: "\(host) is not found: \(error)"))
            } else {
                promise.succeed(addresses)
            }
            timer.cancel()
        }
        thread.stackSize = Self.stackBytes
        thread.start()
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }
}
