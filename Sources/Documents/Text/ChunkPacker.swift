/// Fills one chunk after the other. It holds at most one unfinished chunk, and those that were not taken yet.
struct ChunkPacker {
    private let targetTokens: Int
    private let overlapTokens: Int
    private let splitter: BlockSplitter

    private var chunks: [Chunk] = []
    private var chunkCount = 0
    /// What the chunks that were not taken yet come to, and what all of them do.
    private(set) var heldBytes = 0
    private(set) var bytes = 0
    private var headingPath: [String] = []
    private var heading = ""
    private var blockCount = 0
    private var window: [Piece] = []
    private var windowTokens = 0
    /// Whether the window has anything that the previous chunk does not have.
    private var hasNews = false

    /// A run of bytes of one block.
    private struct Piece {
        let text: String
        let block: Int
        let range: Range<Int>
        let tokens: Int
        let isWholeBlock: Bool
    }

    init(targetTokens: Int, overlapTokens: Int) {
        self.targetTokens = targetTokens
        self.overlapTokens = overlapTokens
        splitter = BlockSplitter(limitTokens: targetTokens)
    }

    mutating func add(_ block: TextBlock) {
        if block.headingPath != headingPath { openSection(block.headingPath) }
        blockCount += 1
        let tokens = TokenEstimate.count(block.text)
        if tokens <= targetTokens {
            let whole = 0..<block.text.utf8.count
            append(Piece(text: block.text, block: blockCount, range: whole, tokens: tokens, isWholeBlock: true))
        } else {
            splitter.forEachPiece(of: block.text) { range, tokens in
                append(Piece(text: block.text, block: blockCount, range: range, tokens: tokens, isWholeBlock: false))
            }
        }
    }

    mutating func finish() { emit() }

    /// The chunks since the last time.
    mutating func take() -> [Chunk] {
        defer {
            chunks = []
            heldBytes = 0
        }
        return chunks
    }

    private mutating func openSection(_ path: [String]) {
        emit()
        window.removeAll(keepingCapacity: true)
        windowTokens = 0
        headingPath = path
        heading = path.joined(separator: " > ")
    }

    private mutating func append(_ piece: Piece) {
        if windowTokens + piece.tokens > targetTokens {
            emit()
            keepOverlap(room: min(overlapTokens, targetTokens - piece.tokens))
        }
        window.append(piece)
        windowTokens += piece.tokens
        hasNews = true
    }

    private mutating func emit() {
        guard hasNews else { return }
        hasNews = false
        let content = content()
        guard !content.isEmpty else { return }
        let tokens = TokenEstimate.count(content)
        let chunk = Chunk(position: chunkCount, heading: heading, content: content, tokenCount: tokens)
        chunks.append(chunk)
        chunkCount += 1
        heldBytes += chunk.storedBytes
        bytes += chunk.storedBytes
    }

    /// Consecutive pieces of one block are copied as one run; between blocks comes a blank line.
    private func content() -> String {
        if window.count == 1, window[0].isWholeBlock { return window[0].text }
        var content: [UInt8] = []
        var first = 0
        while first < window.count {
            var last = first
            while last + 1 < window.count, window[last + 1].block == window[first].block { last += 1 }
            if !content.isEmpty { content += "\n\n".utf8 }
            var text = window[first].text
            let run = window[first].range.lowerBound..<window[last].range.upperBound
            text.withUTF8 { content += $0[run] }
            while let byte = content.last, byte.isBlank { content.removeLast() }
            first = last + 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// Shrinks the window to its last sentences, as many as there is room for.
    private mutating func keepOverlap(room: Int) {
        var room = room
        var kept: [Piece] = []
        for piece in window.reversed() {
            if piece.tokens <= room {
                kept.append(piece)
                room -= piece.tokens
                continue
            }
            guard room > 0, piece.isWholeBlock else { break }
            for (range, tokens) in splitter.sentences(of: piece.text, limitTokens: room).reversed() {
                guard tokens <= room else { break }
                kept.append(Piece(text: piece.text, block: piece.block, range: range, tokens: tokens, isWholeBlock: false))
                room -= tokens
            }
            break
        }
        window = kept.reversed()
        windowTokens = window.reduce(0) { $0 + $1.tokens }
    }
}
