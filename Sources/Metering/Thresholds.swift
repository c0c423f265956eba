/// Which thresholds of a limit a value has crossed, and which is next. Pure arithmetic; a threshold is crossed when the value reaches it.
struct Thresholds: Equatable {
    /// Alerts beyond the plan's own thresholds, one every further 100 %; a bound, so that no value makes alerts without end.
    static let mostFurther = 1_000

    /// Percent, ascending, without repeats.
    let percents: [Int]
    /// nil: unlimited, nothing is ever crossed.
    let limit: Int64?

    init(percents: [Int], limit: Int64?) {
        self.percents = Set(percents).sorted()
        self.limit = limit
    }

    /// Every threshold that `value` has reached, ascending.
    func crossed(by value: Int64) -> [Int] {
        guard let limit, value > 0 else { return [] }
        // With a limit of 0, the first unit crosses every threshold.
        guard limit > 0 else { return percents }
        let own = percents.filter { reaches(value, $0, limit) }
        let hundreds = Int(min(Int128(value) / Int128(limit), Int128(Self.mostFurther + 1)))
        guard hundreds >= 2 else { return own }
        return Set(own + (2...hundreds).map { $0 * 100 }).sorted()
    }

    /// The value at which the lowest threshold lies that `value` has not reached; nil when there is none.
    func nextValue(after value: Int64) -> Int64? {
        guard let limit else { return nil }
        guard limit > 0 else { return value > 0 ? nil : 1 }
        let own = percents.first { !reaches(value, $0, limit) }
        let hundred = max(Int128(value) / Int128(limit) + 1, 2) * 100
        guard
            let percent = [own.map { Int128($0) }, hundred <= Int128((Self.mostFurther + 1) * 100) ? hundred : nil].compactMap({
                $0
            }).min()
        else { return nil }
        // Rounded up: the first whole value at or above the threshold.
        return Int64(exactly: (percent * Int128(limit) + 99) / 100)
    }

    private func reaches(_ value: Int64, _ percent: Int, _ limit: Int64) -> Bool {
        Int128(value) * 100 >= Int128(percent) * Int128(limit)
    }
}

/// What has to be published for one subject and metric, given what already was.
struct AlertChanges: Equatable {
    var fire: [Int]
    var resolve: [Int]
    /// How many of the further hundreds were crossed together with the highest one, which alone fires.
    var alsoCrossed: Int

    /// - Parameters:
    ///   - crossed: the thresholds that the value has reached now.
    ///   - known: every threshold with an alert that counts for this period, and whether that has been resolved.
    ///
    /// Each threshold fires at most once a period and resolves at most once: one that was resolved and is reached again stays silent. Of those
    /// above 100 % that lie beyond every known one, only the highest fires: no value, however odd, makes a flood.
    init(crossed: [Int], known: [Int: Bool]) {
        let highest = max(100, known.keys.max() ?? 100)
        let further = crossed.filter { $0 > highest }
        fire = crossed.filter { $0 <= 100 && known[$0] == nil } + further.suffix(1)
        alsoCrossed = max(0, further.count - 1)
        resolve = known.filter { !$0.value && !crossed.contains($0.key) }.keys.sorted()
    }
}
