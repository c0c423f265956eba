internal import Contract
internal import Jobs

extension Table {
    /// Rows as the HTTP API shows them, or some of their members.
    init<Row>(_ representation: Representation<Row>, without hidden: Set<String> = [], _ rows: [Row]) {
        let members = representation.members.filter { !hidden.contains($0.name) }
        self.init(members.map(\.name))
        for row in rows { append(members.map { $0.write(row) }) }
    }
}
