/// The characters Prometheus allows in names, and the identity of a set of labels.
///
/// Source: https://prometheus.io/docs/concepts/data_model/
enum MetricName {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`: what is illegal becomes `_`.
    static func metric(_ label: String) -> String { legal(label, colon: true) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`; a histogram's own `le` is kept free, as federation does it.
    static func label(_ dimension: String) -> String {
        let name = legal(dimension, colon: false)
        return name == "le" ? "exported_le" : name
    }

    /// The labels as they stand between the braces, sorted by name: the same dimensions in another order are the same series.
    ///
    /// Of a name given twice the last value counts; an empty value is, to Prometheus, no label.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (dimension, value) in dimensions { values[label(dimension)] = value }
        return
            values
            .filter { !$0.value.isEmpty }
            .sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(ExpositionText.escaped($0.value, quote: true))\"" }
            .joined(separator: ",")
    }

    private static func legal(_ text: String, colon: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.unicodeScalars.append(scalar)
            case ":" where colon: name.unicodeScalars.append(scalar)
            case "0"..."9":
                if name.isEmpty { name = "_" }
                name.unicodeScalars.append(scalar)
            default: name += "_"
            }
        }
        return name.isEmpty ? "_" : name
    }
}
