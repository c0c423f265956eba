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
