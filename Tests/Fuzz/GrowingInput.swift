/// An input with parts to repeat: where a reader takes time out of proportion, it does so by something that comes again and again.
///
/// The mark `⟳` cuts an input into pieces, of which every second is repeated: `<table>⟳<tr><td>⟳</table>` is a table of any length, and
/// `⟳[⟳1⟳]⟳` are arrays within arrays. An input without the mark does not grow.
struct GrowingInput {
    static let mark: [UInt8] = Array("⟳".utf8)

    private let pieces: [ArraySlice<UInt8>]

    /// nil where nothing is to be repeated.
    init?(_ input: [UInt8]) {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        var position = 0
        while position + Self.mark.count <= input.count {
            if input[position..<position + Self.mark.count].elementsEqual(Self.mark) {
                pieces.append(input[start..<position])
                position += Self.mark.count
                start = position
            } else {
                position += 1
            }
        }
        pieces.append(input[start...])
        guard pieces.count > 1 else { return nil }
        self.pieces = pieces
        if repeatedBytes == 0 { return nil }
    }

    private var repeatedBytes: Int {
        pieces.indices.reduce(0) { $0 + ($1 % 2 == 1 ? pieces[$1].count : 0) }
    }

    /// Its repeated parts as often as they fit into so many bytes, and once at least.
    func grown(toBytes bytes: Int) -> [UInt8] {
        let times = max(1, bytes / repeatedBytes)
        var grown: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            for _ in 0..<(index % 2 == 1 ? times : 1) { grown += piece }
        }
        return grown
    }
}
