/// What one job may yield, and what may grow by many (contract, section 2). JSON's own bounds are ``JSONBudget/payload``.
public enum Bounds {
    /// A job's properties and headers.
    public static let headerBytes = 16 << 10
    /// The same, with room for what the fleet and the broker add to a job that is tried again.
    public static let retriedHeaderBytes = headerBytes + (4 << 10)
    /// A tenant's settings in all, names and values, as PostgreSQL writes them.
    public static let settingsBytes = 64 << 10
    /// What a manifest says for all of its tenants: full settings, and room for the other fields.
    public static let defaultsBytes = settingsBytes + (16 << 10)
    /// The metadata of a conversation, of a message, or of a document.
    public static let metadataBytes = 16 << 10

    /// What a job's documents yield in all, in proportion to their bytes; ``leastTextBytes`` are free, and more than ``mostTextBytes`` is never
    /// taken.
    public static let textFactor = 16
    public static let leastTextBytes = 1 << 20
    public static let mostTextBytes = 64 << 20
    /// What is kept for each document that comes later in the same job, in proportion to its bytes.
    public static let keptTextFactor = 4

    /// The most text that documents of so many bytes yield together, before it is split into chunks.
    public static func textBytes(ofSource bytes: Int) -> Int {
        min(max(min(bytes, mostTextBytes) * textFactor, leastTextBytes), mostTextBytes)
    }
}
