internal import Contract
internal import Metering

/// `plans.yaml`, checked: every error names the file and the key.
enum PlanFile {
    /// What `tenantry dev` loads where there is no file: the plans of the project's own `config/plans.yaml`.
    static let standard = """
        plans:
          pro:
            display_name: Pro
            limits: {child_tenants: {limit: 1, mode: hard}, messages: {limit: 10000, mode: soft}}
            price:
              currency: EUR
              base: 4900
              metrics: {messages: {included: 10000, tiers: [{up_to: null, per_thousand: 500}]}}
          enterprise:
            display_name: Enterprise
            limits: {child_tenants: {limit: 10, mode: hard}, messages: {limit: 100000, mode: soft}}
            price:
              currency: EUR
              base: 29900
              metrics:
                messages:
                  included: 100000
                  mode: graduated
                  tiers: [{up_to: 100000, per_thousand: 300}, {up_to: 500000, per_thousand: 250}, {up_to: null, per_thousand: 200}]
          enterprise-plus:
            display_name: Enterprise Plus
            limits: {child_tenants: {limit: null, mode: hard}, messages: {limit: null, mode: soft}}
            price:
              currency: EUR
              base: 0
              metrics:
                messages:
                  mode: volume
                  tiers: [{up_to: 1000000, per_thousand: 250}, {up_to: 5000000, per_thousand: 180}, {up_to: null, per_thousand: 120}]
        """

    static func read(_ path: String) throws -> [Plan] {
        guard let top = try YAMLPlace.read(path) else { throw Failure("\(path): plans: is missing") }
        return try plans(top)
    }

    static func standardPlans() throws -> [Plan] {
        try YAMLPlace.parse(standard, file: "standard plans").map { try plans($0) } ?? []
    }

    private static func plans(_ top: YAMLPlace) throws -> [Plan] {
        let fields = try top.fields("thresholds", "plans")
        guard let plans = fields["plans"] else { throw top.failure("plans: is missing") }
        let thresholds = try fields["thresholds"].map { try Self.thresholds($0) } ?? [50, 75, 80, 90, 100]
        let entries = try plans.entries()
        let names = Set(entries.map { name, _ in name })
        return try entries.map { name, place in
            let fields = try place.fields("display_name", "thresholds", "limits", "jobs_per_minute", "tenant_plans", "price")
            return Plan(
                name: name, displayName: try fields["display_name"]?.text() ?? name,
                thresholds: try fields["thresholds"].map { try Self.thresholds($0) } ?? thresholds,
                limits: try fields["limits"].map { try limits($0) } ?? [:],
                jobsPerMinute: try fields["jobs_per_minute"].flatMap { try jobsPerMinute($0) },
                tenantPlans: try fields["tenant_plans"].map { try tenantPlans($0, among: names) } ?? [],
                price: try fields["price"].flatMap { try price($0) })
        }
    }

    private static func thresholds(_ place: YAMLPlace) throws -> [Int] {
        let thresholds = try place.wholeNumbers().map { Int($0) }
        guard !thresholds.isEmpty, thresholds == Set(thresholds).sorted(), thresholds.allSatisfy({ (1...100).contains($0) })
        else {
            throw place.failure("must be percentages from 1 to 100, ascending")
        }
        return thresholds
    }

    private static func jobsPerMinute(_ place: YAMLPlace) throws -> Int64? {
        if place.isNull { return nil }
        let rate = try place.wholeNumber()
        guard (1...1_000_000_000).contains(rate) else {
            throw place.failure("must be from 1 to 1000000000, or null for unlimited")
        }
        return rate
    }

    private static func tenantPlans(_ place: YAMLPlace, among names: Set<String>) throws -> [String] {
        if place.isNull { return [] }
        return try place.items().map { item in
            let name = try item.text()
            guard names.contains(name) else { throw item.failure("there is no plan \"\(name)\" in this file") }
            return name
        }
    }

    private static func limits(_ place: YAMLPlace) throws -> [Metric: Plan.Limit] {
        if place.isNull { return [:] }
        var limits: [Metric: Plan.Limit] = [:]
        for (key, place) in try place.entries() {
            guard let metric = Metric(rawValue: key) else {
                let known = Metric.allCases.map(\.rawValue).joined(separator: ", ")
                throw place.failure("there is no such metric; there are \(known)")
            }
            limits[metric] = try limit(place)
        }
        return limits
    }

    private static func limit(_ place: YAMLPlace) throws -> Plan.Limit {
        let fields = try place.fields("limit", "mode")
        guard let limit = fields["limit"] else { throw place.failure("limit is missing: a whole number, or null for unlimited") }
        guard let mode = fields["mode"] else { throw place.failure("mode is missing: soft or hard") }
        guard let known = AlertEvent.Mode(rawValue: try mode.text()) else { throw mode.failure("must be soft or hard") }
        let value = limit.isNull ? nil : try limit.wholeNumber()
        guard value.map({ $0 >= 0 }) ?? true else { throw limit.failure("must be 0 or more, or null for unlimited") }
        return Plan.Limit(value: value, mode: known)
    }
}
