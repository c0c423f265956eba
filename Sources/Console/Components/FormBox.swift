internal import API
internal import Contract
internal import HTML
internal import People

/// A form: what was typed stays when it is refused, beside what is wrong with it.
struct FormBox {
    struct Field {
        enum Control {
            case text(type: String)
            case area(rows: Int)
            case select([(value: String, title: String)])
            case check
            case checks([(value: String, title: String)])
            case file
        }

        let name: String
        let label: String
        var control = Control.text(type: "text")
        var hint = ""
        /// What stands there before anything was typed.
        var value = ""
        var values: [String] = []
        var isRequired = false
        var more: [Attribute] = []
    }

    /// nil: the page's own path.
    var action: String?
    var fields: [Field] = []
    var hidden: [(String, String)] = []
    let submit: String
    var isDangerous = false
    var isMultipart = false
    /// The command that does the same.
    var command: String?
    /// Which form of its page this is, where there are several.
    var id = "form"
    var cancel: String?

    func html(_ call: PageCall) -> HTML { html(typed: call.form, failure: call.failure, action: action ?? call.path) }

    /// - Parameters:
    ///   - typed: what was sent before.
    ///   - failure: why that was refused.
    func html(typed: FormData, failure: LocalAPI.Failure?, action: String) -> HTML {
        let isMine = typed.raw("form") ?? id == id
        let failure = isMine ? failure : nil
        return form(
            .method("post"), .action(action), .class("form"), isMultipart ? Attribute("enctype", "multipart/form-data") : nil
        ) {
            if let failure, !fields.contains(where: { error(of: $0, failure) != nil }) { Self.alert(failure) }
            input(.type("hidden"), .name("form"), .value(id))
            for (name, value) in hidden { input(.type("hidden"), .name(name), .value(value)) }
            for field in fields { row(field, isMine ? typed : FormData(), failure) }
            div(.class("buttons")) {
                button(.type("submit"), .class(isDangerous ? "button button-danger" : "button button-primary")) { submit }
                if let cancel { a(.class("button"), .href(cancel)) { "Cancel" } }
            }
            if let command { Parts.command(command) }
        }
    }

    /// A refusal that is about no field.
    static func alert(_ failure: LocalAPI.Failure) -> HTML {
        div(.class("alert"), .role("alert")) {
            strong { title(of: failure) }
            " "
            Format.written(failure.detail)
        }
    }

    private static func title(of failure: LocalAPI.Failure) -> String {
        switch failure.code {
        case "limit_reached": "A limit of the plan is reached."
        case "conflict", "slug_taken": "It is taken."
        case "precondition_failed": "It has been changed meanwhile: look again before you save."
        case "unavailable": "It cannot be done just now."
        case "forbidden": "That is not allowed."
        case "rate_limited": "Too many tries."
        default: "That was refused."
        }
    }

    private func error(of field: Field, _ failure: LocalAPI.Failure?) -> String? {
        guard let failure, let pointer = failure.field ?? failure.parameter.map({ "/\($0)" }) else { return nil }
        let parts = pointer.split(separator: "/").map(String.init)
        return parts.first == field.name || parts.last == field.name ? failure.detail : nil
    }

    private func row(_ field: Field, _ typed: FormData, _ failure: LocalAPI.Failure?) -> HTML {
        let error = error(of: field, failure)
        let fieldID = "\(id)-\(field.name)"
        let isTyped = !typed.values.isEmpty
        var described: [String] = []
        if !field.hint.isEmpty { described.append("\(fieldID)-hint") }
        if error != nil { described.append("\(fieldID)-error") }
        let shared: [Attribute?] =
            [
                .id(fieldID), .name(field.name), .flag("required", field.isRequired),
                described.isEmpty ? nil : Attribute("aria-describedby", described.joined(separator: " ")),
                error == nil ? nil : Attribute("aria-invalid", "true"),
            ] + field.more
        let value = typed.raw(field.name) ?? field.value
        let chosen = isTyped ? typed.all(field.name) : field.values
        return div(.class(error == nil ? "field" : "field field-wrong")) {
            switch field.control {
            case .check:
                labelElement(.class("check"), .for(fieldID)) {
                    input(shared + [.type("checkbox"), .value("yes"), .flag("checked", chosen.contains("yes"))])
                    " "
                    field.label
                }
            case .checks(let options):
                fieldset(described.isEmpty ? nil : Attribute("aria-describedby", described.joined(separator: " "))) {
                    legend { field.label }
                    for option in options {
                        labelElement(.class("check")) {
                            input(
                                .type("checkbox"), .name(field.name), .value(option.value),
                                .flag("checked", chosen.contains(option.value)))
                            " "
                            option.title
                        }
                    }
                }
            default:
                labelElement(.for(fieldID)) {
                    field.label
                    if !field.isRequired { small { " (optional)" } }
                }
                control(field, shared, value)
            }
            if !field.hint.isEmpty { p(.class("hint"), .id("\(fieldID)-hint")) { field.hint } }
            if let error { p(.class("error"), .id("\(fieldID)-error")) { Format.written(error) } }
        }
    }

    private func control(_ field: Field, _ shared: [Attribute?], _ value: String) -> HTML {
        switch field.control {
        case .area(let rows):
            textarea(shared + [Attribute("rows", "\(rows)"), Attribute("spellcheck", "false")]) { "\n" + value }
        case .select(let options):
            select(shared) {
                for entry in options { option(.value(entry.value), .flag("selected", entry.value == value)) { entry.title } }
            }
        case .file: input(shared + [.type("file")])
        case .text(let type):
            input(shared + [.type(type), type == "password" ? nil : .value(value)])
        case .check, .checks: HTML()
        }
    }
}

extension FormBox.Field {
    /// Asks again for what the session was opened with, before what cannot be undone.
    static func proof(_ visitor: Visitor) -> FormBox.Field {
        let isPassword = visitor.session.openedWith == nil
        return FormBox.Field(
            name: "proof", label: isPassword ? "Your password" : "Your credential", control: .text(type: "password"),
            hint: isPassword ? "Asked again, since this cannot be undone." : "The one that you signed in with, <key>.<secret>.",
            isRequired: true, more: [Attribute("autocomplete", isPassword ? "current-password" : "off")])
    }
}

/// A form that asks for a list, and stands in its address.
struct FilterBar {
    struct Filter {
        let name: String
        let label: String
        var type = "search"
        var options: [(value: String, title: String)]?
    }

    let filters: [Filter]

    func html(_ call: PageCall) -> HTML {
        form(.method("get"), .action(call.path), .class("filters"), .role("search"), .label("Filters")) {
            for (index, filter) in filters.enumerated() {
                div(.class("filter")) {
                    labelElement(.for("filter-\(filter.name)")) { filter.label }
                    if let options = filter.options {
                        select(.id("filter-\(filter.name)"), .name(filter.name)) {
                            for entry in [(value: "", title: "Any")] + options {
                                option(.value(entry.value), .flag("selected", entry.value == call[filter.name] ?? "")) {
                                    entry.title
                                }
                            }
                        }
                    } else {
                        input(
                            .id("filter-\(filter.name)"), .name(filter.name), .type(filter.type), .value(call[filter.name] ?? ""),
                            index == 0 ? Attribute("data-search", nil) : nil, Attribute("autocomplete", "off"))
                    }
                }
            }
            button(.type("submit"), .class("button")) { "Filter" }
            if filters.contains(where: { call[$0.name] != nil }) { a(.class("button"), .href(call.path)) { "Clear" } }
        }
    }
}
