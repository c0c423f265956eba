internal import Contract
internal import Jobs

/// One lane of a worker before it runs: which queues it consumes, and with which handlers.
struct LanePlan: Sendable {
    let name: String
    let queues: [String]
    /// The family whose former partitions this lane empties, too.
    let drainedFamily: Family?
    let makeHandlers: @Sendable () -> [any JobHandler]

    /// The lane that dead-letters what no family takes.
    static let unroutable = LanePlan(name: "unroutable", queues: [Topology.unroutableQueue], drainedFamily: nil) { [] }

    /// The lane of the control queue, in a worker that serves one of the families whose jobs wait there.
    static func control(_ families: [JobFamily], _ options: FleetOptions) -> [LanePlan] {
        let served = Set(Kind.all.filter(\.isControl).map(\.family)).filter { options.lanes[$0] ?? 0 > 0 }
        guard !served.isEmpty else { return [] }
        return [
            LanePlan(name: "control", queues: [Topology.controlQueue], drainedFamily: nil) {
                families.flatMap { $0.makeHandlers() }.filter(\.kind.isControl)
            }
        ]
    }

    /// A family's lanes. Its partitions are dealt out to them; a family in one queue is shared by all of them.
    static func plans(for family: JobFamily, _ options: FleetOptions) -> [LanePlan] {
        guard let lanes = options.lanes[family.family], lanes > 0 else { return [] }
        let partitions = options.partitions[family.family] ?? 1
        let queues = TopologyDeclaration.queues(of: family.family, partitions: partitions)
        return (0..<lanes).map { lane in
            var own =
                partitions > 1 ? queues.enumerated().filter { $0.offset % lanes == lane % partitions }.map(\.element) : queues
            if partitions > 1, lane == 0 { own.append(family.family.queue) }
            return LanePlan(
                name: "\(family.family.rawValue)-\(lane)", queues: own, drainedFamily: lane == 0 ? family.family : nil,
                makeHandlers: family.makeHandlers)
        }
    }
}
