internal import Contract
internal import Foundation
internal import Testing

@Suite("The pages say what the code does")
struct PageTests {
    @Test("every kind has its row, and there are no others")
    func kinds() throws {
        let cells = try Page.named("Jobs").cells().joined(separator: " ")
        let named = Set(cells.matches(of: /`([a-z]+\.[a-z_]+)`/).map { String($0.1) })
        #expect(named.subtracting(LifecycleEvent.allCases.map(\.rawValue)) == Set(Kind.all.map(\.name)))
    }

    @Test("every error code has its row, and every event and header is named")
    func codes() throws {
        let page = try Page.named("Jobs")
        let cells = page.cells()
        for code in ErrorCode.allCases { #expect(cells.contains { $0.contains("`\(code.rawValue)`") }, "\(code.rawValue)") }
        for event in LifecycleEvent.allCases {
            #expect(cells.contains { $0.contains("`\(event.rawValue)`") }, "\(event.rawValue)")
        }
        let headers = [
            Header.errorCode, Header.errorMessage, Header.errorField, Header.kind, Header.attempts, Header.failedAt,
        ]
        for header in headers { #expect(page.text.contains("`\(header.name)`"), "\(header.name)") }
    }

    /// `name` → value of each setting in `config/tenantry.yaml`, of which the values stand on the line of their key.
    private func settings() throws -> [(name: String, value: String)] {
        let file = Program.repository.appending(path: "config/tenantry.yaml")
        var path: [String] = []
        var settings: [(String, String)] = []
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            guard let match = line.wholeMatch(of: /( *)([a-z_]+):(?: (.+))?/) else { continue }
            path = path.prefix(match.1.count / 2) + [String(match.2)]
            if let value = match.3 { settings.append((path.joined(separator: "."), String(value))) }
        }
        return settings
    }

    @Test("every setting of config/tenantry.yaml has its row, with the same default, and there are no others")
    func settingsTable() throws {
        let page = try Page.named("Settings")
        let rows = Dictionary(zip(page.cells(), page.cells(1)), uniquingKeysWith: { first, _ in first })
        let settings = try settings()
        try #require(settings.count > 20)
        var known: Set<String> = []
        for (name, value) in settings {
            let isOfFamily = name.hasPrefix("worker.lanes.") || name.hasPrefix("partitions.")
            let row = isOfFamily ? name.split(separator: ".").dropLast().joined(separator: ".") + ".<family>" : name
            known.insert("`\(row)`")
            let shown = try #require(rows["`\(row)`"], "\(name)")
            #expect(shown.contains("`\(value)`"), "\(name)")
        }
        for name in rows.keys where name.wholeMatch(of: /`[a-z_]+\.[a-z_.<>]+`/) != nil {
            #expect(known.contains(name), "\(name)")
        }
    }

    @Test("every command that a page names exists, and every exit code is there")
    func commands() throws {
        for page in try Page.all() {
            for match in page.text.matches(
                of:
                    /`(?:tenantry )?((?:account|dead|alerts|plans|operator|topology|token|usage|corpus|tenant|template|admin|audit|invoice|dev) [a-z][a-z-]+)/
            ) {
                #expect(HelpTests.commands.contains(String(match.1)), "\(page.name): \(match.1)")
            }
        }
        let codes = try Page.named("Operations").cells().filter { Int($0) != nil }
        #expect(codes == ["0", "1", "64", "70"])
    }

    @Test("every page that a page links to is there")
    func links() throws {
        let folder = Program.repository.appending(path: "Sources/tenantry/tenantry.docc")
        for page in try Page.all() {
            for match in page.text.matches(of: /<doc:([A-Za-z]+)>/) {
                let file = folder.appending(path: "\(match.1).md").path
                #expect(FileManager.default.fileExists(atPath: file), "\(page.name): \(match.1)")
            }
            for match in page.text.matches(of: /\]\((Sources[^)]*)\)/) {
                let file = Program.repository.appending(path: String(match.1)).path
                #expect(FileManager.default.fileExists(atPath: file), "\(page.name): \(match.1)")
            }
        }
    }
}
