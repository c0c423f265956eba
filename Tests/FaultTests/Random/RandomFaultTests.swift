internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    /// Seeded runs of jobs of every kind under faults at random. `TENANTRY_FAULT_SEED` runs one again, `TENANTRY_FAULT_RUNS` those with the seeds
    /// `first-last`; without them a few with fixed seeds.
    @Suite("Faults at random", .serialized)
    struct Random {
        private static let faultsPerRun = 6
        private static let logsPerRun = 2_000
        /// So much time is there for each fault and what follows from it, while producers go on.
        private static let secondsPerFault = 3.0
        private static let environment = ProcessInfo.processInfo.environment

        /// After the last fault. A lease, a retry ladder and the pauses between attempts to connect take the most of it; beside other tests a
        /// machine may be busy with those.
        private static var progressSeconds: Double { environment["TENANTRY_FAULT_RUNS"] == nil ? 90 : 30 }

        private static var seeds: ClosedRange<UInt64> {
            if let seed = environment["TENANTRY_FAULT_SEED"].flatMap({ UInt64($0) }) { return seed...seed }
            let bounds = (environment["TENANTRY_FAULT_RUNS"] ?? "1-3").split(separator: "-").compactMap { UInt64($0) }
            return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : 1...3
        }

        @Test(
            "Whatever happens, each job is done once, counted once and answered as it is, and every alert and event is out; soon after the last fault nothing waits"
        )
        func faults() async throws {
            var failed: [UInt64: String] = [:]
            for seed in Self.seeds {
                var random = SeededGenerator(seed: seed)
                let faults = Array(RandomFault.possible.shuffled(using: &random).prefix(Self.faultsPerRun))
                print("faults, seed \(seed): \(faults.map(\.rawValue).joined(separator: "; "))")
                let servers = try await FaultServers()
                do {
                    let figures = try await RandomRun(servers, seed: seed, logs: Self.logsPerRun).run(
                        faults, secondsEach: Self.secondsPerFault, progressSeconds: Self.progressSeconds, &random)
                    print("run, seed \(seed): \(figures)")
                } catch {
                    failed[seed] = "\(error)"
                    Issue.record("seed \(seed): \(error)")
                }
                await servers.stop()
            }
            print("\(Self.seeds.count) runs; \(failed.isEmpty ? "all passed" : "failed: \(failed.keys.sorted())")")
        }
    }
}
