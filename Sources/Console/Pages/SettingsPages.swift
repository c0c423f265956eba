internal import API
internal import Contract
internal import HTML
internal import HTTPTypes

/// A chatbot's settings, as the JSON object that they are.
enum SettingsPages {
    static let all: [PageRoute] = [
        PageRoute("/tenants/{slug}/settings", sources: { [.init("settings", target($0))] }, show, act: save)
    ]

    private static func target(_ call: PageCall) -> String { PageCall.target(["tenants", call.name("slug"), "settings"]) }

    /// The settings, and the entity tag that they have now.
    private static func read(_ call: PageCall) async throws -> (JSONValue, tag: String) {
        guard case .json(_, let value, let headers) = try await call.reply(LocalAPI.Request(.get, target(call))) else {
            return (.null, "")
        }
        return (value, headers[.eTag] ?? "")
    }

    private static func show(_ call: PageCall) async throws -> Page {
        let (settings, tag) = try await read(call)
        let box = FormBox(
            fields: [
                .init(
                    name: "settings", label: "Settings", control: .area(rows: 18),
                    hint: "A JSON object. Names that you take away are removed.", value: settings.indented, isRequired: true)
            ], hidden: [("tag", tag)], submit: "Save",
            command: Command.enqueue(.tenantUpdate, tenant: call.name("slug"), ["settings": ["greeting": "Hello"]]))
        return Page(
            title: "Settings", place: TenantTabs.place(call, "Settings"), crumbs: TenantTabs.crumbs(call, below: true),
            tabs: TenantTabs.all(call.name("slug"), call.visitor),
            blocks: [
                .fixed {
                    Parts.panel("Settings") {
                        if call.visitor.may(.tenantUpdate) { box.html(call) } else { Parts.source(settings.indented, "Settings") }
                    }
                }
            ])
    }

    /// What is typed is the whole of it; what is sent is a merge patch, in which null removes.
    private static func save(_ call: PageCall) async throws -> PageAnswer {
        guard case .object(let wanted)? = try JSONField.object("settings", call.form) else {
            throw LocalAPI.Failure.field("settings", "Must be an object: { … }.")
        }
        let (present, tag) = try await read(call)
        guard case .object(let known) = present else { throw LetterPages.notHere }
        if let seen = call.form.raw("tag"), seen != tag {
            throw LocalAPI.Failure(
                status: 412, code: "precondition_failed", detail: "Somebody saved other settings since this page was shown.")
        }
        let patch = difference(from: known, to: wanted)
        guard !patch.isEmpty else { return .redirect(call.path, .saved) }
        return try await call.send(.patch, target(call), .object(patch), headers: [.ifMatch: tag]).next(call.path, .saved)
    }

    /// The merge patch (RFC 7396) that makes one object of another.
    static func difference(from known: [String: JSONValue], to wanted: [String: JSONValue]) -> [String: JSONValue] {
        var patch: [String: JSONValue] = [:]
        for name in known.keys where wanted[name] == nil { patch[name] = .null }
        for (name, value) in wanted where known[name] != value {
            if case .object(let inner) = value, case .object(let before)? = known[name] {
                patch[name] = .object(difference(from: before, to: inner))
            } else {
                patch[name] = value
            }
        }
        return patch
    }
}
