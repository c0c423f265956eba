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
        var packer = ChunkPacker(targetTokens: targetTokens, overlapTokens: overlapTokens)
        for block in document.blocks { packer.add(block) }
        return packer.finish()
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
}
