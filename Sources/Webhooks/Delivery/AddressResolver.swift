internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore

/// Finds out what a host's name means. Each question waits on a thread of its own, so that servers of names that do not answer hold up nobody but
/// who asks them.
struct AddressResolver: Sendable {
    private static let stackBytes = 512 << 10

    /// Blocks. Empty: there is no such name.
    let lookUp: @Sendable (String) throws -> [NetworkAddress]

    static let system = AddressResolver { try NetworkAddress.lookUp($0) }

    /// The servers of names do not answer.
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
            promise.completeWith(Result { try lookUp(host) })
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
