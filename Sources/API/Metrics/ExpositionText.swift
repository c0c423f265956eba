/// The Prometheus text exposition format 0.0.4, written line by line.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
struct ExpositionText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// `# HELP` (if there is one) and `# TYPE`, which stand before the samples of their family.
    mutating func head(_ name: String, _ type: MetricType, help: String?) {
        if let help { text += "# HELP \(name) \(Self.escaped(help, quote: false))\n" }
        text += "# TYPE \(name) \(type.rawValue)\n"
    }

    /// A line that parsers skip.
    mutating func comment(_ line: String) {
        text += "# \(Self.escaped(line, quote: false))\n"
    }

    /// One sample.
    ///
    /// - Parameters:
    ///   - labels: as `MetricName.labels` writes them; may be empty.
    ///   - bound: a bucket's upper bound, written as label `le`.
    mutating func sample(_ name: String, labels: String, bound: Double? = nil, _ value: String) {
        text += name
        if !labels.isEmpty || bound != nil {
            text += "{"
            text += labels
            if let bound {
                if !labels.isEmpty { text += "," }
                text += "le=\""
                text += Self.number(bound)
                text += "\""
            }
            text += "}"
        }
        text += " "
        text += value
        text += "\n"
    }

    /// `\` and line feed are escaped everywhere, `"` in label values alone.
    static func escaped(_ text: String, quote: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quote: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A number as Go's `ParseFloat` reads it, without a needless `.0`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Above 2^53 a Double cannot hold every whole number, so it is written in its short form.
        if value.rounded() == value, abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return "\(value)"
    }
}
