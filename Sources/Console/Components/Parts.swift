internal import Contract
internal import HTML

/// Small pieces that many pages have.
enum Parts {
    /// A state as a word with a colour; the word alone says it, too.
    static func badge(_ word: String, _ tone: Tone? = nil) -> HTML {
        span(.class("badge badge-\((tone ?? Tone(of: word)).rawValue)")) { word }
    }

    enum Tone: String {
        case good, warn, bad, calm

        init(of word: String) {
            self =
                switch word {
                case "active", "ready", "enabled", "succeeded", "sent", "resolved": .good
                case "suspended", "pending", "warning", "embedding", "waiting", "retrying", "provisioning": .warn
                case "failed", "breached", "disabled", "rejected", "purged": .bad
                default: .calm
                }
        }
    }

    /// How much of a limit is used; without one, how much there is.
    static func meter(_ value: Int64, of limit: Int64?, _ what: String) -> HTML {
        guard let limit else { return span(.class("meter-text")) { "\(Format.number(value)) – no limit" } }
        let share = limit > 0 ? Double(value) / Double(limit) : (value > 0 ? 1 : 0)
        let tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "good"
        return span(.class("meter")) {
            progressElement(
                .class("bar bar-\(tone)"), Attribute("max", "100"), .value("\(Int(min(share, 1) * 100))"), .label("\(what) used"))
            span(.class("meter-text")) { "\(Format.number(value)) of \(Format.number(limit)) (\(Format.percent(share)))" }
        }
    }

    /// Names and values.
    static func facts(_ facts: [(String, HTML)]) -> HTML {
        dl(.class("facts")) {
            for (name, value) in facts {
                div {
                    dt { name }
                    dd { value }
                }
            }
        }
    }

    /// A number that a page begins with.
    static func figure(_ value: String, _ what: String, _ note: String = "", href: String? = nil, tone: Tone? = nil) -> HTML {
        let content = HTML {
            span(.class("figure-value")) { value }
            span(.class("figure-name")) { what }
            if !note.isEmpty { span(.class("figure-note")) { note } }
        }
        let look = "figure" + (tone.map { " figure-\($0.rawValue)" } ?? "")
        guard let href else { return div(.class(look)) { content } }
        return a(.class(look), .href(href)) { content }
    }

    /// What stands where nothing is yet, and what to do about it.
    static func empty(_ text: String, _ hint: String = "", link: (name: String, path: String)? = nil) -> HTML {
        HTML {
            p(.class("empty-title")) { text }
            if !hint.isEmpty { p { hint } }
            if let link { p { a(.class("button"), .href(link.path)) { link.name } } }
        }
    }

    /// A part of a page with a heading.
    static func panel(_ title: String, id: String? = nil, @HTML.Builder _ content: () -> HTML) -> HTML {
        section(.class("panel"), id.map { .id($0) }) {
            h2 { title }
            content()
        }
    }

    /// A text that can be copied: with a script by a button, otherwise by hand.
    static func copyable(_ text: String, _ what: String) -> HTML {
        span(.class("copyable")) {
            code { text }
            button(.type("button"), .class("copy"), Attribute("data-copy", text), .label("Copy \(what)"), .flag("hidden")) {
                "Copy"
            }
        }
    }

    /// The command that does the same as an action.
    static func command(_ line: String) -> HTML {
        details(.class("command")) {
            summaryElement { "The same by command" }
            copyable(line, "the command")
        }
    }

    /// A secret that is shown this once.
    static func secret(_ text: String, _ what: String) -> HTML {
        div(.class("secret"), .role("status")) {
            p { strong { "This is shown once. Keep it now: nobody can look it up." } }
            copyable(text, what)
        }
    }

    /// JSON, or another text in which each character counts.
    ///
    /// - Parameter most: bytes of it that are shown.
    static func source(_ text: String, _ what: String, most: Int = 64 << 10) -> HTML {
        pre(.class("source"), Attribute("tabindex", "0"), .role("region"), .label(what)) {
            code { Format.beginning(of: text, most: most) }
        }
    }

    /// Links that choose among a few values of one parameter.
    static func choice(_ label: String, _ name: String, _ values: [(value: String?, title: String)], _ call: PageCall) -> HTML {
        nav(.class("choice"), .label(label)) {
            for (value, title) in values {
                let isChosen = call[name] == value
                a(.href(call.link([(name, value), ("cursor", nil)])), isChosen ? Attribute("aria-current", "true") : nil) {
                    title
                }
            }
        }
    }
}

/// Command lines, as a shell takes them.
enum Command {
    /// What sends a job.
    static func enqueue(_ kind: Kind, tenant: String? = nil, _ payload: JSONValue = [:]) -> String {
        let text = String(decoding: payload.serialised(), as: UTF8.self)
        return line(
            ["tenantry", "enqueue", kind.name] + (tenant.map { ["--tenant", $0] } ?? []) + ["--wait", "--payload", text])
    }

    static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    private static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: ":")].contains(
                        byte)
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
