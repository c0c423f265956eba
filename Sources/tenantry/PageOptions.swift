internal import ArgumentParser
internal import Contract
internal import FoundationEssentials

/// The part of a list that a command prints.
struct PageOptions: ParsableArguments {
    @Option(help: "The most rows.")
    var limit = Count(100)
    @Option(help: "Where the list goes on: what the part before said at its end.")
    var cursor: PageCursor?

    /// The rows of this part. Where there are more, standard error says how to go on, so that standard output has the rows alone.
    ///
    /// - Parameters:
    ///   - position: a row's place in the list.
    ///   - read: reads rows after a place, at most so many.
    func rows<Row>(
        of type: Row.Type, _ position: (Row) -> [String], _ read: (_ after: [String]?, _ limit: Int) throws -> [Row]
    ) throws -> [Row] {
        let rows = try read(cursor?.position, limit.value + 1)
        guard rows.count > limit.value, let last = rows.prefix(limit.value).last else { return rows }
        writeError("there is more: --cursor \(PageCursor(position: position(last)).text)\n")
        return Array(rows.prefix(limit.value))
    }
}

/// A place in a list on the command line, in letters and digits that a shell leaves alone.
struct PageCursor: ExpressibleByArgument {
    let position: [String]

    init(position: [String]) {
        self.position = position
    }

    init?(argument: String) {
        var padded = argument.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard argument.utf8.count <= 4_096, let data = Data(base64Encoded: padded),
            // What is no JSON is no cursor.
            case .array(let values)? = try? JSONValue(parsing: Array(data))
        else { return nil }
        position = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        guard !position.isEmpty, position.count == values.count, !position.contains(where: { $0.utf8.contains(0) }) else {
            return nil
        }
    }

    var text: String {
        Data(JSONValue.array(position.map { .string($0) }).serialised()).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
