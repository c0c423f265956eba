internal import Foundation
internal import Glibc
internal import Synchronization

/// SIGINT, SIGTERM and SIGHUP, noted instead of ending the process at once.
final class StopSignals {
    private let raised: RaisedFlag
    private let sources: [any DispatchSourceSignal]

    init() {
        let raised = RaisedFlag()
        self.raised = raised
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { raised.raise() }
            source.resume()
            return source
        }
    }

    var isRaised: Bool { raised.isRaised }
}

/// Set once, from a signal's handler; read by others.
private final class RaisedFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}
