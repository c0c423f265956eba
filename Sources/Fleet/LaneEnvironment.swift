internal import Logging

/// What all lanes of a worker share. Everything else of a lane is its own.
struct LaneEnvironment: Sendable {
    let options: FleetOptions
    /// Whether to stop, and by when.
    let control: LaneControl
    let topology: TopologyOwner
    let gate: Quarantine.Gate
    let longJobs: LongJobs
    let parked = ParkedTenants()
    let health: LaneHealth
    let tally: WorkerTally
    let logger: Logger
}
