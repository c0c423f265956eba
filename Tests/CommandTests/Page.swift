internal import Foundation

/// A page of documentation.
struct Page {
    let name: String
    let text: String

    /// The pages about `tenantry`, and README.md.
    static func all() throws -> [Page] {
        let folder = Program.repository.appending(path: "Sources/tenantry/tenantry.docc")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let pages = files.filter { $0.pathExtension == "md" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
        return try pages.map { try Page($0) } + [readme()]
    }

    static func readme() throws -> Page { try Page(Program.repository.appending(path: "README.md")) }

    static func named(_ name: String) throws -> Page {
        try Page(Program.repository.appending(path: "Sources/tenantry/tenantry.docc/\(name).md"))
    }

    private init(_ file: URL) throws {
        name = file.lastPathComponent
        text = try String(contentsOf: file, encoding: .utf8)
    }

    /// The fenced blocks of a language, in order.
    func blocks(_ language: String) -> [String] {
        text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] }
    }

    /// The first cells of the rows of its tables, or the cells of another column.
    func cells(_ column: Int = 0) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { row in
            let cells = row.dropFirst().split(separator: "|", omittingEmptySubsequences: false)
            return column < cells.count ? cells[column].trimmingCharacters(in: .whitespaces) : ""
        }
    }
}
