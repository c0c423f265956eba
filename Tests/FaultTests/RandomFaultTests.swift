internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    /// Seeded runs of jobs under faults at random. `TENANTRY_FAULT_SEED` runs one again, `TENANTRY_FAULT_RUNS` so many from 1 on; without them
    /// a few with fixed seeds.
    @Suite("Faults at random", .serialized)
    struct Random {
        private static let faultsPerRun = 6
        private static let jobsPerRun = 3_000
        /// After the last fault: a lease, a retry ladder and the pauses between attempts to connect, and room for a busy machine.
        private static let progressSeconds = 60.0

        private static var seeds: [UInt64] {
            let environment = ProcessInfo.processInfo.environment
            if let seed = environment["TENANTRY_FAULT_SEED"].flatMap({ UInt64($0) }) { return [seed] }
            if let runs = environment["TENANTRY_FAULT_RUNS"].flatMap({ UInt64($0) }), runs > 0 { return Array(1...runs) }
            return [1, 2]
        }

        @Test(
            "Whatever happens, each message is there once, counted once, and every alert out; soon after the last fault nothing waits"
        )
        func faults() async throws {
            var happened: [RandomFault: Int] = [:]
            var failed: [UInt64: String] = [:]
            for seed in Self.seeds {
                var random = SeededGenerator(seed: seed)
                let faults = Array(RandomFault.allCases.shuffled(using: &random).prefix(Self.faultsPerRun))
                print("faults, seed \(seed): \(faults.map(\.rawValue).joined(separator: "; "))")
                for fault in faults { happened[fault, default: 0] += 1 }
                do {
                    try await run(faults, &random)
                } catch {
                    failed[seed] = "\(error)"
                    Issue.record("seed \(seed): \(error)")
                }
            }
            print(Self.table(happened, runs: Self.seeds.count, failed: failed))
        }

        private func run(_ faults: [RandomFault], _ random: inout SeededGenerator) async throws {
            try await withBroker { node, brokerURL in
                try await withCluster { cluster, databaseURL in
                    let stage = try await Stage(broker: brokerURL, database: databaseURL)
                    try stage.subscribe("subscriber")
                    let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 8, jobs: Self.jobsPerRun)
                    let fleet = try RandomFaults(stage, node, cluster)
                    try fleet.startWorkers(3)
                    for (portion, fault) in faults.enumerated() {
                        try await traffic.flow(portion, of: faults.count, on: stage)
                        try await fleet.happen(fault, &random)
                    }
                    try await traffic.settle(on: stage, within: Self.progressSeconds)
                    try await fleet.drain()
                    try traffic.expectExact(on: stage, alertsIn: "subscriber", allowsRetries: true)
                }
            }
        }

        private static func table(_ happened: [RandomFault: Int], runs: Int, failed: [UInt64: String]) -> String {
            var lines = ["", "| fault | times |", "| --- | --- |"]
            lines += RandomFault.allCases.map { "| \($0.rawValue) | \(happened[$0] ?? 0) |" }
            lines.append("\n\(runs) runs of \(jobsPerRun) jobs; \(failed.isEmpty ? "all passed" : "failed: \(failed)")")
            return lines.joined(separator: "\n")
        }
    }
}
