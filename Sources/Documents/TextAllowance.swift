internal import Contract

/// How much text the documents of one job may yield, and how much their chunks may take.
///
/// The bound is the job's (`Bounds`), and it is spent in the documents' order. From what is left, a document may take all but what is kept for those after
/// it: four times their bytes, more than honest documents need. So one that yields too much is refused by itself, and none is refused because of another.
public struct TextAllowance {
    /// What one document may come to.
    public struct Offer: Sendable, Equatable {
        /// Headings and blocks, each once.
        public let textBytes: Int
        /// Chunks with the headings and the overlap that they repeat, and their rows.
        public let chunkBytes: Int
    }

    /// Chunks may come to twice the text: what an ordinary document repeats is an eighth of it. A document of few bytes has a chunk, too.
    private static let chunkFactor = 2
    private static let leastChunkBytes = 1 << 10

    private var text: Int
    private var chunks: Int
    private var laterBytes: Int
    private var laterCount: Int

    /// - Parameter sourceBytes: the decoded bytes of each of the job's documents.
    public init(sourceBytes: [Int]) {
        laterBytes = sourceBytes.reduce(0, +)
        laterCount = sourceBytes.count
        text = Bounds.textBytes(ofSource: laterBytes)
        chunks = Self.chunkFactor * text + Self.leastChunkBytes * laterCount
    }

    /// What the next document may take. Each is asked for once, in order, also one that takes nothing.
    public mutating func offer(sourceBytes: Int) -> Offer {
        laterBytes -= sourceBytes
        laterCount -= 1
        let kept = Bounds.keptTextFactor * laterBytes
        return Offer(
            textBytes: max(0, text - kept),
            chunkBytes: max(0, chunks - Self.chunkFactor * kept - Self.leastChunkBytes * laterCount))
    }

    /// What a document has taken.
    public mutating func spend(textBytes: Int, chunkBytes: Int) {
        text -= textBytes
        chunks -= chunkBytes
    }
}
