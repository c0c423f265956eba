internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import NIOCore

/// A page: what stands between the head and the foot that all have in common.
struct Page: Sendable {
    let title: String
    /// The entry of the navigation that it belongs to.
    var place = ""
    /// The pages above it: their names and paths.
    var crumbs: [(name: String, path: String)] = []
    /// Links and buttons beside the heading.
    var actions = HTML()
    /// What a tenant's pages have in common below the heading.
    var tabs: [Tab] = []
    var blocks: [Block]
    /// Whether it is to be had as CSV and JSON.
    var hasFiles = true
    /// Seconds after which a browser without scripts loads it anew; nil: it does not.
    var refreshSeconds: Int?

    struct Tab: Sendable {
        let name: String
        let path: String
    }

    /// A part of the page. What is live is sent anew when it has changed, under its id.
    enum Block: Sendable {
        case fixed(HTML)
        case live(id: String, HTML)
    }

    /// What is live, by its id.
    var live: [(id: String, html: HTML)] {
        blocks.compactMap { if case .live(let id, let html) = $0 { (id, html) } else { nil } }
    }
}

extension Page.Block {
    static func fixed(@HTML.Builder _ content: () -> HTML) -> Page.Block { .fixed(content()) }
    static func live(_ id: String, @HTML.Builder _ content: () -> HTML) -> Page.Block { .live(id: id, content()) }
}

/// What becomes of a request for a page.
enum PageAnswer: Sendable {
    case page(Page, status: Int = 200)
    /// The browser is sent to another page, which tells what was done.
    case redirect(String, Notice?)
    /// The same, with another cookie.
    case session(SessionCookie?, path: String)
    case file(LocalAPI.Reply, name: String)
}

/// What was done, for the page that comes next. The words are ours: an address can say which, and nothing else.
enum Notice: String, Sendable, CaseIterable {
    case saved, created, removed, suspended, resumed, archived, restored, purged, applied, uploaded, erased, revoked, sent,
        resent, recovered, ended, signedOut
    case discarded, replayed, rated

    var text: String {
        switch self {
        case .saved: "Saved."
        case .created: "Created."
        case .removed: "Removed."
        case .suspended: "Suspended. Jobs on it are refused from now on."
        case .resumed: "Resumed. It takes jobs again."
        case .archived: "Archived. It can be restored until it is purged."
        case .restored: "Restored."
        case .purged: "Purged. Its data is gone."
        case .applied: "The template was applied."
        case .uploaded: "Taken in. The document can be found now."
        case .erased: "Erased."
        case .revoked: "Revoked."
        case .sent: "A test event was sent."
        case .resent: "The delivery is made once more."
        case .recovered: "Failed deliveries are made once more."
        case .ended: "The session was ended."
        case .signedOut: "You are signed out."
        case .discarded: "Discarded."
        case .replayed: "Sent again."
        case .rated: "Rated."
        }
    }
}

/// A path of the console, what is shown there, and what may be sent to it.
struct PageRoute: Sendable {
    let path: PathPattern
    /// The API's answers that it shows: the page as CSV is the first, as JSON all of them.
    var sources: @Sendable (PageCall) -> [Source] = { _ in [] }
    let show: @Sendable (PageCall) async throws -> PageAnswer
    var act: (@Sendable (PageCall) async throws -> PageAnswer)?
    /// A body may have so many bytes.
    var mostBodyBytes = 1 << 20

    struct Source: Sendable {
        let name: String
        let target: String

        init(_ name: String, _ target: String) {
            self.name = name
            self.target = target
        }
    }

    /// A page that only shows.
    init(
        _ path: String, sources: @escaping @Sendable (PageCall) -> [Source] = { _ in [] },
        _ show: @escaping @Sendable (PageCall) async throws -> Page
    ) {
        self.path = PathPattern(path)
        self.sources = sources
        self.show = { .page(try await show($0)) }
    }

    /// A page with a form that is sent to its own path. Where that is refused, it is shown again, with what was typed.
    init(
        _ path: String, sources: @escaping @Sendable (PageCall) -> [Source] = { _ in [] }, mostBodyBytes: Int = 1 << 20,
        _ show: @escaping @Sendable (PageCall) async throws -> Page,
        act: @escaping @Sendable (PageCall) async throws -> PageAnswer
    ) {
        self.path = PathPattern(path)
        self.sources = sources
        self.show = { .page(try await show($0)) }
        self.act = act
        self.mostBodyBytes = mostBodyBytes
    }

    /// A path that sends on to another page.
    init(_ path: String, to place: @escaping @Sendable (PageCall) async throws -> PageAnswer) {
        self.path = PathPattern(path)
        show = place
    }
}
