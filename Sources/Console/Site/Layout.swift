internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import People

/// What all pages have around what is their own: navigation, who is signed in, notices, and the dialogs of the keyboard.
enum Layout {
    static func response(_ page: Page, _ call: PageCall, status: Int = 200) -> Response {
        response(
            document(title: page.title, live: !page.live.isEmpty, refresh: page.refreshSeconds) { body(page, call) },
            status: .init(code: status))
    }

    static func response(_ document: HTML, status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: HTML.document(document))))
    }

    /// - Parameter live: whether a script is to follow the page's live parts.
    static func document(title: String, live: Bool = false, refresh: Int? = nil, @HTML.Builder _ content: () -> HTML) -> HTML {
        html(Attribute("lang", "en")) {
            headElement {
                meta(Attribute("charset", "utf-8"))
                meta(.name("viewport"), Attribute("content", "width=device-width, initial-scale=1"))
                meta(.name("color-scheme"), Attribute("content", "light dark"))
                if let refresh {
                    noscript { meta(Attribute("http-equiv", "refresh"), Attribute("content", "\(refresh)")) }
                }
                titleElement { HTML.plain("\(title) · Tenantry") }
                linkElement(Attribute("rel", "icon"), .type("image/svg+xml"), .href(Assets.icon.path))
                linkElement(Attribute("rel", "stylesheet"), .href(Assets.style.path))
                scriptElement(.src(Assets.script.path), Attribute("defer", nil))
            }
            bodyElement(live ? Attribute("data-live", nil) : nil) { content() }
        }
    }

    private static func body(_ page: Page, _ call: PageCall) -> HTML {
        HTML {
            a(.class("skip"), .href("#main")) { "Skip to the content" }
            impersonation(call)
            headerElement(.class("top")) {
                a(.class("brand"), .href("/")) {
                    mark
                    "Tenantry"
                }
                button(.type("button"), .class("search-button"), Attribute("data-palette", nil), .flag("hidden")) {
                    "Go to…"
                    kbd { "Ctrl K" }
                }
                details(.class("account-menu")) {
                    summaryElement {
                        span(.class("account-name")) {
                            Format.written(call.visitor.session.accountName ?? call.visitor.session.name)
                        }
                    }
                    div(.class("menu")) {
                        p {
                            strong { Format.written(call.visitor.session.name) }
                            br()
                            small { call.visitor.roleName }
                        }
                        a(.href("/sessions")) { "Sessions" }
                        a(.href("/help")) { "Help" }
                        form(.method("post"), .action("/sign-out")) { button(.type("submit"), .class("plain")) { "Sign out" } }
                    }
                }
            }
            div(.class("shell")) {
                nav(.class("side"), .label("Main")) {
                    ul {
                        for entry in Navigation.entries(for: call.visitor) {
                            li {
                                a(
                                    .href(entry.path), entry.place == page.place ? Attribute("aria-current", "page") : nil,
                                    entry.key.map { Attribute("data-key", $0) }
                                ) { entry.name }
                            }
                        }
                    }
                }
                mainElement(.id("main"), Attribute("tabindex", "-1")) {
                    notice(call)
                    content(page, call)
                }
            }
            footer(.class("foot")) {
                p {
                    if call.visitor.clock.zone == "UTC" {
                        "Times are in UTC."
                    } else {
                        "Times are those of \(call.visitor.clock.zone); point at one for UTC."
                    }
                    if call.visitor.isReadOnly { " This console only shows." }
                }
            }
            dialogs
        }
    }

    private static func content(_ page: Page, _ call: PageCall) -> HTML {
        HTML {
            if !page.crumbs.isEmpty {
                nav(.class("crumbs"), .label("Above this page")) {
                    ol { for crumb in page.crumbs { li { a(.href(crumb.path)) { Format.written(crumb.name) } } } }
                }
            }
            div(.class("page-head")) {
                h1 { Format.written(page.title) }
                div(.class("page-actions")) { page.actions }
            }
            // A tenant's own people have these at the side.
            if !page.tabs.isEmpty, call.visitor.tenant == nil {
                nav(.class("tabs"), .label("Parts of this chatbot")) {
                    ul {
                        for tab in page.tabs {
                            li {
                                a(.href(tab.path), tab.path == call.path ? Attribute("aria-current", "page") : nil) { tab.name }
                            }
                        }
                    }
                }
            }
            if let failure = call.failure, page.blocks.isEmpty { FormBox.alert(failure) }
            for block in page.blocks {
                switch block {
                case .fixed(let html): html
                case .live(let id, let html): div(.class("live"), .id(id), Attribute("data-part", nil)) { html }
                }
            }
            if page.hasFiles,
                let route = Site.find(RequestTarget.segments(Substring(call.path)).map { $0 == [""] ? [] : $0 } ?? []),
                !route.route.sources(call).isEmpty
            {
                files(call)
            }
        }
    }

    /// What the page shows, as files.
    private static func files(_ call: PageCall) -> HTML {
        let halves = call.link([("done", nil), ("sort", nil), ("order", nil)]).split(separator: "?", maxSplits: 1)
        let path = call.path == "/" ? "/index" : call.path
        let query = halves.count == 2 ? "?\(halves[1])" : ""
        return p(.class("files")) {
            "This page as "
            a(.href("\(path).csv\(query)"), Attribute("download", nil)) { "CSV" }
            " or "
            a(.href("\(path).json\(query)")) { "JSON" }
        }
    }

    private static func impersonation(_ call: PageCall) -> HTML? {
        guard let reason = call.visitor.session.reason else { return nil }
        return div(.class("banner"), .role("status")) {
            p {
                strong { "You look at this account as its administrator." }
                " Reason: "
                Format.written(reason)
                ". All that you do is in the audit log of both sides. It ends "
                call.visitor.clock.html(call.visitor.session.expiresAt.rfc3339)
                "."
            }
            form(.method("post"), .action("/as")) { button(.type("submit"), .class("button")) { "End it" } }
        }
    }

    private static func notice(_ call: PageCall) -> HTML? {
        guard let notice = call["done"].flatMap({ Notice(rawValue: $0) }) else { return nil }
        return div(.class("notice"), .role("status"), Attribute("data-notice", nil)) { notice.text }
    }

    /// A speech bubble out of four smaller ones: many chatbots.
    static let mark = svg(.class("mark"), Attribute("viewBox", "0 0 24 24"), Attribute("aria-hidden", "true")) {
        svgPath(Attribute("d", "M4 3h7v7H4zM13 3h7v7h-7zM4 12h7v7H8l-4 3zM13 12h7v7h-7z"))
    }

    /// Shown by the script alone.
    private static let dialogs = HTML {
        dialog(.id("palette"), .label("Go to")) {
            form(.method("dialog"), .class("palette")) {
                labelElement(.for("palette-input")) { "Go to a page or a chatbot" }
                input(
                    .id("palette-input"), .type("search"), Attribute("autocomplete", "off"), Attribute("role", "combobox"),
                    Attribute("aria-expanded", "true"), Attribute("aria-controls", "palette-list"))
                ul(.id("palette-list"), .role("listbox"), .label("Places"))
            }
        }
        dialog(.id("keys"), .label("Keyboard")) {
            h2 { "Keyboard" }
            Parts.facts([
                ("/", HTML(text: "Search on this page")), ("Ctrl K", HTML(text: "Go to a page or a chatbot")),
                ("g t", HTML(text: "Chatbots")), ("g o", HTML(text: "Overview")), ("g u", HTML(text: "Usage")),
                ("g a", HTML(text: "Alerts")), ("g d", HTML(text: "Dead letters")), ("?", HTML(text: "This help")),
            ])
            form(.method("dialog")) { button(.class("button")) { "Close" } }
        }
    }
}

/// Where one can go, by what one may read.
enum Navigation {
    struct Entry {
        let name: String
        let path: String
        let place: String
        /// The key behind `g`.
        var key: String?
    }

    static func entries(for visitor: Visitor) -> [Entry] {
        if let tenant = visitor.tenant { return tenantEntries(tenant, visitor) }
        var entries = [Entry(name: "Overview", path: "/", place: "overview", key: "o")]
        func add(_ name: String, _ path: String, _ place: String, key: String? = nil, if isThere: Bool) {
            if isThere { entries.append(Entry(name: name, path: path, place: place, key: key)) }
        }
        add("Queues and workers", "/fleet", "fleet", key: "q", if: visitor.may(read: .queues))
        add("Dead letters", "/dead", "dead", key: "d", if: visitor.may(read: .deadLetters))
        add("Accounts", "/accounts", "accounts", if: visitor.isOperator)
        add("Chatbots", "/tenants", "tenants", key: "t", if: visitor.may(read: .tenants))
        add("Usage", "/usage", "usage", key: "u", if: visitor.may(read: .usage))
        add("Alerts", "/alerts", "alerts", key: "a", if: visitor.may(read: .alerts))
        add("Webhooks", "/webhooks", "webhooks", key: "w", if: visitor.may(read: .webhooks))
        add("Templates", "/templates", "templates", if: visitor.may(read: .templates))
        add("Tokens", "/tokens", "tokens", if: visitor.may(read: .tokens))
        add("Administrators", "/admins", "admins", if: visitor.may(read: .administrators))
        add("Invoices", "/invoices", "invoices", if: visitor.may(read: .invoices))
        add("Plans", "/plans", "plans", if: visitor.may(read: .plans))
        add("Audit log", "/audit", "audit", if: visitor.may(read: .audit))
        return entries
    }

    private static func tenantEntries(_ tenant: String, _ visitor: Visitor) -> [Entry] {
        TenantTabs.all(tenant, visitor).map { Entry(name: $0.name, path: $0.path, place: $0.name, key: nil) }
    }
}
