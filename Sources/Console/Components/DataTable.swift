internal import Contract
internal import HTML

/// A table of what a list holds: sorted within its page by what the address says, and going on by the list's cursor.
struct DataTable {
    struct Column {
        let title: String
        /// What it is sorted by; nil: it is not.
        let key: String?
        let isNumber: Bool
        let cell: (JSONValue) -> HTML

        init(_ title: String, key: String? = nil, isNumber: Bool = false, @HTML.Builder _ cell: @escaping (JSONValue) -> HTML) {
            self.title = title
            self.key = key
            self.isNumber = isNumber
            self.cell = cell
        }
    }

    /// What the table holds, for those who do not see it.
    let caption: String
    let columns: [Column]
    let list: PageCall.Listed
    /// What stands there where nothing is listed.
    let empty: HTML
    var isPaged = true
    /// A class of its own, for tables that look otherwise.
    var look = ""

    func html(_ call: PageCall) -> HTML {
        guard !list.rows.isEmpty else { return div(.class("empty")) { empty } }
        let order = Order(call)
        let rows = order.sorted(list.rows, columns)
        return HTML {
            div(.class("scroll"), .role("region"), .label(caption), Attribute("tabindex", "0")) {
                table(.class("data \(look)")) {
                    HTML(Tag("caption"), caption)
                    thead { tr { for column in columns { head(column, order, call) } } }
                    tbody {
                        for row in rows {
                            tr { for column in columns { td(column.isNumber ? .class("number") : nil) { column.cell(row) } } }
                        }
                    }
                }
            }
            if isPaged { pager(call) }
        }
    }

    private func head(_ column: Column, _ order: Order, _ call: PageCall) -> HTML {
        let isSorted = column.key != nil && column.key == order.key
        let sort = isSorted ? Attribute("aria-sort", order.isDescending ? "descending" : "ascending") : nil
        return th(.scope("col"), column.isNumber ? .class("number") : nil, sort) {
            if let key = column.key {
                let turns = isSorted && !order.isDescending
                a(.href(call.link([("sort", key), ("order", turns ? "down" : nil)])), .class("sort")) {
                    column.title
                    if isSorted { span(Attribute("aria-hidden", "true")) { order.isDescending ? " ↓" : " ↑" } }
                }
            } else {
                column.title
            }
        }
    }

    /// Back is the browser's own; the cursor stands in the address.
    private func pager(_ call: PageCall) -> HTML? {
        guard list.next != nil || call["cursor"] != nil else { return nil }
        return nav(.class("pager"), .label("Pages of \(caption)")) {
            if call["cursor"] != nil { a(.class("button"), .href(call.link([("cursor", nil)]))) { "First page" } }
            if let next = list.next {
                a(.class("button"), .href(call.link([("cursor", next)])), Attribute("rel", "next")) { "Next page" }
            }
            if call["sort"] != nil { small { "Sorted within this page." } }
        }
    }

    private struct Order {
        let key: String?
        let isDescending: Bool

        init(_ call: PageCall) {
            key = call["sort"]
            isDescending = call["order"] == "down"
        }

        func sorted(_ rows: [JSONValue], _ columns: [Column]) -> [JSONValue] {
            guard let key, columns.contains(where: { $0.key == key }) else { return rows }
            let ordered = rows.enumerated().sorted { left, right in
                if Self.isBefore(left.element[key] ?? .null, right.element[key] ?? .null) { return true }
                if Self.isBefore(right.element[key] ?? .null, left.element[key] ?? .null) { return false }
                return left.offset < right.offset
            }.map(\.element)
            return isDescending ? ordered.reversed() : ordered
        }

        private static func isBefore(_ left: JSONValue, _ right: JSONValue) -> Bool {
            switch (left, right) {
            case (.null, .null), (_, .null): false
            case (.null, _): true
            case (.string(let left), .string(let right)): left.lowercased() < right.lowercased()
            case (.bool(let left), .bool(let right)): !left && right
            default: number(left) < number(right)
            }
        }

        private static func number(_ value: JSONValue) -> Double {
            switch value {
            case .int(let number): Double(number)
            case .double(let number): number
            case .string(let digits): Double(digits) ?? 0
            case .array(let items): Double(items.count)
            default: 0
            }
        }
    }
}

extension HTML {
    init(_ tag: Tag, _ text: String) { self = tag { text } }
}
