/// The text exposition format 0.0.4, read more strictly than Prometheus does: what is optional there is demanded here.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
struct Exposition {
    struct Fault: Error {
        let line: String
        let cause: String
    }

    struct Sample: Hashable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Family: Equatable {
        let name: String
        let type: String
        var help: String?
        var samples: [Sample] = []
    }

    private(set) var families: [Family] = []
    private(set) var comments: [String] = []
    private var seen: Set<Sample> = []

    subscript(name: String) -> Family? { families.first { $0.name == name } }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    init(_ text: String) throws(Fault) {
        guard text.isEmpty || text.hasSuffix("\n") else { throw Fault(line: "", cause: "the last line does not end") }
        var help: (name: String, text: String)?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            if line.hasPrefix("# HELP ") {
                let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, help == nil else { throw Fault(line: line, cause: "help out of place") }
                help = (String(parts[0]), try Self.unescaped(parts[1], quote: false, line))
            } else if line.hasPrefix("# TYPE ") {
                let parts = line.dropFirst(7).split(separator: " ").map(String.init)
                guard parts.count == 2, ["counter", "gauge", "histogram"].contains(parts[1]), self[parts[0]] == nil else {
                    throw Fault(line: line, cause: "bad or second type")
                }
                guard help == nil || help?.name == parts[0] else { throw Fault(line: line, cause: "help of another family") }
                families.append(Family(name: parts[0], type: parts[1], help: help?.text))
                help = nil
            } else if line.hasPrefix("#") {
                comments.append(String(line.dropFirst(2)))
            } else {
                try add(Self.sample(line), line)
            }
        }
        for family in families { try Self.check(family) }
    }

    private mutating func add(_ sample: Sample, _ line: String) throws(Fault) {
        guard let family = families.last else { throw Fault(line: line, cause: "sample before its type") }
        let suffixes = family.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { sample.name == family.name + $0 }) else {
            throw Fault(line: line, cause: "sample of another family")
        }
        guard seen.insert(Sample(name: sample.name, labels: sample.labels, value: 0)).inserted else {
            throw Fault(line: line, cause: "the same series twice")
        }
        families[families.count - 1].samples.append(sample)
    }

    private static func sample(_ line: String) throws(Fault) -> Sample {
        var rest = line[...]
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        guard let first = name.first, !first.isNumber else { throw Fault(line: line, cause: "bad name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let label = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                rest = rest.dropFirst(label.count)
                guard let first = label.first, !first.isNumber, rest.hasPrefix("=\"") else {
                    throw Fault(line: line, cause: "bad label")
                }
                rest = rest.dropFirst(2)
                var end = rest.startIndex
                while end < rest.endIndex, rest[end] != "\"" {
                    end = rest.index(after: end)
                    if end < rest.endIndex, rest[rest.index(before: end)] == "\\" { end = rest.index(after: end) }
                }
                guard end < rest.endIndex else { throw Fault(line: line, cause: "label value does not end") }
                let value = try unescaped(rest[..<end], quote: true, line)
                guard labels.updateValue(value, forKey: String(label)) == nil else {
                    throw Fault(line: line, cause: "the same label twice")
                }
                rest = rest[rest.index(after: end)...]
            } while rest.first == ","
            guard rest.first == "}" else { throw Fault(line: line, cause: "labels do not end") }
            rest = rest.dropFirst()
        }
        guard rest.first == " ", let value = number(rest.dropFirst()) else { throw Fault(line: line, cause: "bad value") }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default:
            guard text.allSatisfy({ "0123456789+-.e".contains($0) }) else { return nil }
            return Double(text)
        }
    }

    private static func unescaped(_ text: Substring, quote: Bool, _ line: String) throws(Fault) -> String {
        var result = ""
        var characters = text.makeIterator()
        while let character = characters.next() {
            guard character == "\\" else {
                result.append(character)
                continue
            }
            switch characters.next() {
            case "\\": result += "\\"
            case "n": result += "\n"
            case "\"" where quote: result += "\""
            default: throw Fault(line: line, cause: "bad escape")
            }
        }
        return result
    }

    /// Buckets ascend, never fall, end with +Inf, and that one is the count.
    private static func check(_ family: Family) throws(Fault) {
        guard !family.samples.isEmpty else { throw Fault(line: family.name, cause: "no samples") }
        guard family.type == "histogram" else { return }
        let buckets = Dictionary(grouping: family.samples.filter { $0.name == family.name + "_bucket" }) { sample in
            sample.labels.filter { $0.key != "le" }
        }
        for (labels, series) in buckets {
            let bounds = series.map { number(($0.labels["le"] ?? "")[...]) ?? .nan }
            let ascending = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
            let cumulative = zip(series, series.dropFirst()).allSatisfy { $0.value <= $1.value }
            let count = family.samples.first { $0.name == family.name + "_count" && $0.labels == labels }?.value
            let sum = family.samples.first { $0.name == family.name + "_sum" && $0.labels == labels }
            guard ascending, cumulative, bounds.last == .infinity, series.last?.value == count, sum != nil else {
                throw Fault(line: family.name, cause: "not a histogram")
            }
        }
    }
}
