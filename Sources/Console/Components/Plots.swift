internal import Contract
internal import HTML

/// Plots as SVG. Colours and strokes are the style sheet's; each plot says in words what it shows.
enum Plots {
    /// Values over time, as a line with the area under it.
    ///
    /// - Parameters:
    ///   - labels: of the first and the last value.
    static func line(_ values: [Double], _ name: String, unit: String, labels: (String, String)) -> HTML {
        guard values.count > 1 else { return p(.class("plot-empty")) { "\(name): not enough was seen yet." } }
        let top = max(nice(values.max() ?? 0), 1e-9)
        let (width, height) = (600.0, 140.0)
        func place(_ index: Int) -> String {
            let x = width * Double(index) / Double(values.count - 1)
            return "\(rounded(x)),\(rounded(height - height * values[index] / top))"
        }
        let points = values.indices.map(place).joined(separator: " ")
        let last = values.last ?? 0
        return figure(.class("plot")) {
            figcaption {
                strong { name }
                " \(Format.real(last))\(unit)"
            }
            svg(
                Attribute("viewBox", "0 0 600 140"), .role("img"), Attribute("preserveAspectRatio", "none"),
                .label("\(name): now \(Format.real(last))\(unit), at most \(Format.real(values.max() ?? 0))\(unit)")
            ) {
                svgLine(
                    .class("axis"), Attribute("x1", "0"), Attribute("x2", "600"), Attribute("y1", "140"), Attribute("y2", "140"))
                polyline(.class("area"), Attribute("points", "0,140 \(points) 600,140"))
                polyline(.class("curve"), Attribute("points", points))
            }
            div(.class("plot-axis")) {
                span { labels.0 }
                span { "most: \(Format.real(values.max() ?? 0))\(unit)" }
                span { labels.1 }
            }
        }
    }

    /// Values as bars, each with its name.
    static func bars(_ values: [(name: String, value: Int64)], _ name: String) -> HTML {
        guard !values.isEmpty else { return p(.class("plot-empty")) { "\(name): nothing yet." } }
        // Hundreds of them would be no wider than a line, and weigh more than the page.
        guard values.count <= 120 else {
            return line(
                values.map { Double($0.value) }, name, unit: "", labels: (values.first?.name ?? "", values.last?.name ?? ""))
        }
        let top = max(nice(Double(values.map(\.value).max() ?? 0)), 1)
        let step = 600.0 / Double(values.count)
        let total = values.reduce(0) { $0 &+ $1.value }
        return figure(.class("plot")) {
            figcaption {
                strong { name }
                " \(Format.number(total)) in all"
            }
            svg(
                Attribute("viewBox", "0 0 600 140"), .role("img"), Attribute("preserveAspectRatio", "none"),
                .label("\(name): \(Format.number(total)) in all, at most \(Format.number(values.map(\.value).max() ?? 0))")
            ) {
                for (index, bar) in values.enumerated() {
                    let height = 138 * Double(bar.value) / top
                    svgRect(
                        .class("column"), Attribute("x", rounded(step * Double(index) + step * 0.1)),
                        Attribute("width", rounded(step * 0.8)),
                        Attribute("y", rounded(140 - height)), Attribute("height", rounded(height))
                    ) { titleElement { "\(bar.name): \(Format.number(bar.value))" } }
                }
            }
            div(.class("plot-axis")) {
                span { values.first?.name ?? "" }
                span { "most: \(Format.number(values.map(\.value).max() ?? 0))" }
                span { values.last?.name ?? "" }
            }
        }
    }

    /// A row of values as a tiny curve, in a table's cell.
    static func spark(_ values: [Int64], _ name: String) -> HTML {
        guard values.count > 1 else { return HTML(text: "–") }
        let top = Double(max(values.max() ?? 0, 1))
        let points = values.indices.map { index in
            "\(rounded(100 * Double(index) / Double(values.count - 1))),\(rounded(22 - 20 * Double(values[index]) / top))"
        }.joined(separator: " ")
        return svg(
            .class("spark"), Attribute("viewBox", "0 0 100 24"), .role("img"), .label(name),
            Attribute("preserveAspectRatio", "none")
        ) {
            polyline(.class("curve"), Attribute("points", points))
        }
    }

    /// How strong a cell of a heat map is: 0 to 6.
    static func heat(_ value: Int64, most: Int64) -> Int {
        guard value > 0, most > 0 else { return 0 }
        return 1 + min(5, Int(5 * Double(value) / Double(most)))
    }

    /// The next number of one, two or five times a power of ten.
    private static func nice(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var power = 1.0
        while power * 10 <= value { power *= 10 }
        while power > value { power /= 10 }
        for step in [1.0, 2, 5, 10] where power * step >= value { return power * step }
        return power * 10
    }

    private static func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
