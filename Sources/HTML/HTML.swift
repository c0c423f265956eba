/// A piece of an HTML document. There is no way to make one of a text but to escape it, so none can be forgotten.
///
///     div(.class("card")) {
///         h2 { tenant.name }                 // a text: escaped
///         if tenant.isIdle { p { "Idle" } }
///     }
package struct HTML: Sendable, Equatable {
    /// The markup, in UTF-8.
    package private(set) var markup = ""

    package init() {}

    /// A text, escaped for an element's content.
    package init(text: String) {
        Self.escape(text, into: &markup)
    }

    /// Markup that stands in the program's own source.
    package init(trusted: StaticString) {
        markup = trusted.description
    }

    package init(@Builder _ content: () -> HTML) {
        self = content()
    }

    /// A whole document.
    package static func document(_ content: HTML) -> String { "<!doctype html>\n" + content.markup + "\n" }

    package var isEmpty: Bool { markup.isEmpty }

    package mutating func append(_ other: HTML) { markup += other.markup }

    init(_ tag: Tag, _ attributes: [Attribute?], _ content: HTML) {
        markup.reserveCapacity(content.markup.utf8.count + 32)
        markup += "<"
        markup += tag.name
        for attribute in attributes {
            guard let attribute else { continue }
            markup += " "
            markup += attribute.name
            guard let value = attribute.value else { continue }
            markup += "=\""
            Self.escape(value, into: &markup)
            markup += "\""
        }
        markup += ">"
        if tag.isVoid { return }
        markup += content.markup
        markup += "</"
        markup += tag.name
        markup += ">"
    }

    /// What ends an element, an attribute or a reference. Control characters that no HTML document may hold are shown as a replacement character.
    private static func escape(_ text: String, into markup: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup += "&amp;"
            case "<": markup += "&lt;"
            case ">": markup += "&gt;"
            case "\"": markup += "&quot;"
            case "'": markup += "&#39;"
            case "\t", "\n", "\r": markup.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": markup += "\u{FFFD}"
            default: markup.unicodeScalars.append(scalar)
            }
        }
    }

    /// A mark that turns the direction of what comes after it, a space without width and the like: what it stands beside looks like something else.
    /// Joiners, which scripts and emoji need, are none.
    package static func isDeceptive(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.value {
        case 0x202A...0x202E, 0x2066...0x2069, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xAD: true
        default: false
        }
    }

    /// A text for where no element can stand, with a replacement character for each such mark.
    package static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isDeceptive) else { return text }
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { plain.append(isDeceptive(scalar) ? "\u{FFFD}" : scalar) }
        return String(plain)
    }

    /// Puts pieces together in their order.
    @resultBuilder
    package enum Builder {
        package static func buildExpression(_ html: HTML) -> HTML { html }
        package static func buildExpression(_ text: String) -> HTML { HTML(text: text) }
        package static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML() }
        package static func buildBlock(_ pieces: HTML...) -> HTML { joined(pieces) }
        package static func buildArray(_ pieces: [HTML]) -> HTML { joined(pieces) }
        package static func buildOptional(_ piece: HTML?) -> HTML { piece ?? HTML() }
        package static func buildEither(first piece: HTML) -> HTML { piece }
        package static func buildEither(second piece: HTML) -> HTML { piece }

        private static func joined(_ pieces: [HTML]) -> HTML {
            var html = HTML()
            for piece in pieces { html.append(piece) }
            return html
        }
    }
}

/// An element's attribute. Its value is escaped, whatever it is.
package struct Attribute: Sendable {
    let name: StaticString
    /// nil: it stands there without one, as `hidden` does.
    let value: String?

    package init(_ name: StaticString, _ value: String?) {
        self.name = name
        self.value = value
    }
}

/// An element's name; calling it makes an element.
package struct Tag: Sendable {
    let name: StaticString
    /// Whether it has no content and no end tag.
    let isVoid: Bool

    package init(_ name: StaticString, isVoid: Bool = false) {
        self.name = name
        self.isVoid = isVoid
    }

    package func callAsFunction(_ attributes: Attribute?..., @HTML.Builder content: () -> HTML = { HTML() }) -> HTML {
        HTML(self, attributes, content())
    }

    package func callAsFunction(_ attributes: [Attribute?], @HTML.Builder content: () -> HTML = { HTML() }) -> HTML {
        HTML(self, attributes, content())
    }
}

extension String {
    static func += (left: inout String, right: StaticString) {
        right.withUTF8Buffer { left += String(decoding: $0, as: UTF8.self) }
    }
}
