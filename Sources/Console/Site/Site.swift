internal import API
internal import Contract
internal import Jobs
internal import Logging
internal import People

/// How the console behaves.
package struct ConsoleOptions: Sendable {
    /// Whether every action is taken out of it.
    package var isReadOnly = false

    package init() {}
}

/// What all pages have in common.
struct Site: Sendable {
    let api: LocalAPI
    let options: ConsoleOptions
    /// What the fleet did lately, for plots.
    let history: FleetHistory
    /// Replays and discards of many letters that are under way here.
    let runs = LetterRuns()
    let streams = OpenStreams()

    /// All paths, those with fewer names in them first.
    static let routes: [PageRoute] =
        (OverviewPages.all + FleetPages.all + LetterPages.all + AccountPages.all + TenantPages.all + TenantFormPages.all
        + CorpusPages.all + ConversationPages.all + SettingsPages.all + PeoplePages.all + UsagePages.all + AlertPages.all
        + WebhookPages.all + DeliveryPages.all + TemplatePages.all + InvoicePages.all + AuditPages.all + JobPages.all)
        .sorted { ($0.path.names.count, $0.path.text) < ($1.path.names.count, $1.path.text) }

    /// Whether a session holds: it has not ended, was used lately, and so was nothing that would end it.
    func isOpen(_ bearer: Bearer) async throws -> Bool {
        let session = try await api.database { try ConsoleSession.find(bearer.key, on: &$0) }
        guard let session, session.idleSeconds < ConsoleSession.mostIdleSeconds else { return false }
        return try await api.principal(bearer, isUse: false) != nil
    }

    static func find(_ parts: [String]) -> (route: PageRoute, names: [String: String])? {
        for route in routes {
            if let names = route.path.match(parts) { return (route, names) }
        }
        return nil
    }
}
