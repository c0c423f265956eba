/// Numbers drawn with block characters, in proportion to the largest.
enum UsageChart {
    private static let heights: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let widths: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]

    /// One character for each value. A value above 0 is always drawn higher than 0.
    static func sparkline(_ values: [Int64]) -> String {
        guard let most = values.max(), most > 0 else { return String(repeating: "▁", count: values.count) }
        return String(values.map { heights[eighths(max(0, $0), of: most, in: 7)] })
    }

    /// A bar of at most `width` characters, in steps of an eighth of one.
    static func bar(_ value: Int64, of most: Int64, width: Int = 40) -> String {
        guard value > 0, most > 0 else { return "" }
        let parts = eighths(value, of: most, in: width * 8)
        let rest = parts % 8
        return String(repeating: "█", count: parts / 8) + (rest > 0 ? String(widths[rest - 1]) : "")
    }

    /// `value / most` in steps of which `most` has `steps`, rounded; at least one for what is more than nothing.
    private static func eighths(_ value: Int64, of most: Int64, in steps: Int) -> Int {
        guard value > 0 else { return 0 }
        return max(1, min(steps, Int((Double(value) / Double(most) * Double(steps)).rounded())))
    }
}
