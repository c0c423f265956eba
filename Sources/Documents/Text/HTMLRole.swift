/// What an element is for the text inside it.
enum HTMLRole: Equatable {
    case inline, block, lineBreak
    case heading(Int)
    case title, pre, skipped
    /// A list or a table: one block, however many lines it has.
    case group
    case item, row, cell

    static func of(_ element: String) -> HTMLRole { roles[element] ?? .inline }

    private static let roles: [String: HTMLRole] = {
        var roles: [String: HTMLRole] = [
            "br": .lineBreak, "title": .title, "pre": .pre, "li": .item, "tr": .row, "td": .cell, "th": .cell,
        ]
        for level in 1...6 { roles["h\(level)"] = .heading(level) }
        for name in ["script", "style", "noscript", "template", "nav", "svg", "iframe"] { roles[name] = .skipped }
        for name in ["ul", "ol", "dl", "table"] { roles[name] = .group }
        for name in [
            "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dt", "fieldset",
            "figcaption",
            "figure", "footer", "form", "head", "header", "hr", "html", "legend", "main", "option", "p", "section", "summary",
            "tbody",
            "tfoot", "thead",
        ] {
            roles[name] = .block
        }
        return roles
    }()
}
