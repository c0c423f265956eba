/// Splits documents at headings, then at paragraphs, then at sentences.
///
/// A section that fits is one chunk. One that does not is packed paragraph by paragraph; only a paragraph over the target is
/// split, at sentence ends, then at line ends, words and characters. Where a section goes on in a further chunk, that one begins
/// with the last sentences of the chunk before. The same document always gives the same chunks.
public struct Chunker: Sendable, Hashable {
    /// No chunk is estimated larger than this.
    public let targetTokens: Int
    /// The most that a chunk repeats of the one before it.
    public let overlapTokens: Int

    /// - Parameters:
    ///   - targetTokens: at least 1.
    ///   - overlapTokens: at most half of the target; a larger value is reduced to that.
    public init(targetTokens: Int = 512, overlapTokens: Int = 64) {
        self.targetTokens = max(1, targetTokens)
        self.overlapTokens = max(0, min(overlapTokens, self.targetTokens / 2))
    }

    /// The chunks of a document, in its order; none for an empty one.
    public func chunks(of document: DocumentText) -> [Chunk] {
        var batches = ChunkBatches(of: document, by: self)
        var chunks: [Chunk] = []
        while case let more = batches.next(), !more.isEmpty { chunks += more }
        return chunks
    }
}

/// A piece of a document, small enough to be found and quoted.
public struct Chunk: Sendable, Hashable {
    /// From 0, without gaps.
    public var position: Int
    /// The headings above it, outermost first, joined by ` > `; empty where there are none.
    public var heading: String
    public var content: String
    /// `TokenEstimate` of the content.
    public var tokenCount: Int

    public init(position: Int, heading: String, content: String, tokenCount: Int) {
        self.position = position
        self.heading = heading
        self.content = content
        self.tokenCount = tokenCount
    }

    /// What it takes to keep it: heading, content and a row.
    var storedBytes: Int { heading.utf8.count + content.utf8.count + Self.rowBytes }

    private static let rowBytes = 64
}

/// A document's chunks, a batch at a time, so that no more than one batch is ever held.
struct ChunkBatches {
    /// A batch is complete with the block that brings it over this.
    static let batchBytes = 1 << 20

    private let document: DocumentText
    private var packer: ChunkPacker
    private var nextPart = 0
    /// The heading above the block before, and its path.
    private var heading: Int?
    private var path: [String] = []
    private(set) var isAtEnd = false

    init(of document: DocumentText, by chunker: Chunker = Chunker()) {
        self.document = document
        packer = ChunkPacker(targetTokens: chunker.targetTokens, overlapTokens: chunker.overlapTokens)
    }

    /// What all chunks so far take to be kept.
    var bytes: Int { packer.bytes }

    /// The next batch; empty at the end.
    mutating func next() -> [Chunk] {
        while nextPart < document.parts.count, packer.heldBytes < Self.batchBytes {
            let part = document.parts[nextPart]
            if !part.isHeading {
                if part.heading != heading {
                    heading = part.heading
                    path = document.headingPath(of: nextPart)
                }
                packer.add(TextBlock(headingPath: path, text: document.text(of: nextPart)))
            }
            nextPart += 1
        }
        if nextPart == document.parts.count, !isAtEnd {
            packer.finish()
            isAtEnd = true
        }
        return packer.take()
    }
}
