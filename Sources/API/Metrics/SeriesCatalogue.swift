/// Every series by family and labels: a plain value, which its owner guards.
struct SeriesCatalogue: Sendable {
    private struct Family: Sendable {
        let type: MetricType
        var cells: [String: any Cell] = [:]
    }

    private var families: [String: Family] = [:]
    private var helps: [String: String] = [:]
    /// Sample name → the family that writes it.
    private var writers: [String: String] = [:]
    /// What was asked for under a name that means something else already.
    private var conflicts: Set<String> = []

    mutating func describe(_ name: String, _ help: String) {
        helps[MetricName.metric(name)] = help
    }

    /// The cell of a series, made at the first call and the same at every later one.
    ///
    /// A name has one type. Asked for as another, it gets a cell that counts but is not shown, and the text says so: a metric
    /// in dispute must not stop the jobs it was to count.
    mutating func cell<C: Cell>(_ label: String, _ dimensions: [(String, String)], _ make: (_ name: String) -> C) -> C {
        let name = MetricName.metric(label)
        let labels = MetricName.labels(dimensions)
        if let known = families[name]?.cells[labels] as? C { return known }

        let cell = make(name)
        let samples = C.type.sampleNames(name)
        let family = families[name] ?? Family(type: C.type)
        guard family.type == C.type, samples.allSatisfy({ (writers[$0] ?? name) == name }) else {
            conflicts.insert("conflict: \(name) is not shown as \(C.type.rawValue), for the name is taken")
            return cell
        }
        for sample in samples { writers[sample] = name }
        families[name, default: family].cells[labels] = cell
        return cell
    }

    /// Families by name, series by labels: the same state is always the same text.
    func write(to text: inout ExpositionText) {
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.head(name, family.type, help: helps[name])
            for (labels, cell) in family.cells.sorted(by: { $0.key < $1.key }) {
                cell.write(name, labels: labels, to: &text)
            }
        }
        for conflict in conflicts.sorted() { text.comment(conflict) }
    }
}
