internal import Contract
public import Postgres

/// Where documents are kept.
public enum DocumentPlace: Sendable {
    /// A tenant's corpus; a document replaces the one of its id.
    case tenant(schema: Identifier)
    /// A template that has been emptied.
    case template(account: String, name: String)
}

/// Writes documents with their chunks: small ones together, a long one by itself, a batch of chunks at a time. So what is held is about one document,
/// however many there are.
public struct DocumentWriter {
    /// What documents may come to before they are written.
    private static let mostHeldBytes = 1 << 20

    private let place: DocumentPlace
    private var held: [PreparedDocument] = []
    private var heldBytes = 0
    private var written = 0

    public init(_ place: DocumentPlace) {
        self.place = place
    }

    /// Takes a document, and writes what is held if it is enough.
    public mutating func add(_ document: PreparedDocument, on database: inout Transaction) throws(PostgresError) {
        held.append(document)
        heldBytes += document.heldBytes
        if heldBytes >= Self.mostHeldBytes { try flush(on: &database) }
    }

    /// Writes what is held.
    public mutating func flush(on database: inout Transaction) throws(PostgresError) {
        guard !held.isEmpty else { return }
        try sendDocuments(DocumentColumns(held), on: &database)
        for document in held {
            switch document.content {
            case .chunks(let chunks):
                try send(chunks, of: document, on: &database)
            case .text(let text):
                var batches = ChunkBatches(of: text)
                while case let chunks = batches.next(), !chunks.isEmpty {
                    try send(chunks, of: document, on: &database)
                    _ = try database.collect()
                }
            }
        }
        _ = try database.collect()
        written += held.count
        held.removeAll()
        heldBytes = 0
    }

    private func sendDocuments(_ columns: DocumentColumns, on database: inout Transaction) throws(PostgresError) {
        switch place {
        case .tenant(let schema):
            try database.send(
                DocumentStore.SQL.upsertDocuments(schema), columns.externalIDs, columns.titles, columns.mediaTypes,
                columns.hashes,
                columns.bytes, columns.textBytes, columns.chunkCounts, columns.attributes, columns.searchConfigurations)
            try database.send(DocumentStore.SQL.removeChunks(schema), columns.externalIDs)
        case .template(let account, let name):
            try database.send(
                TemplateStore.SavingSQL.addDocuments, account, name, Int64(written), columns.externalIDs, columns.titles,
                columns.mediaTypes, columns.hashes, columns.bytes, columns.textBytes, columns.chunkCounts, columns.attributes,
                columns.searchConfigurations)
        }
    }

    private func send(
        _ chunks: [Chunk], of document: PreparedDocument, on database: inout Transaction
    ) throws(PostgresError) {
        guard !chunks.isEmpty else { return }
        let (id, columns) = (document.document.source.externalID, ChunkColumns(chunks))
        switch place {
        case .tenant(let schema):
            try database.send(
                DocumentStore.SQL.addChunks(schema), id, document.searchConfiguration, columns.positions, columns.headings,
                columns.contents, columns.tokenCounts)
        case .template(let account, let name):
            try database.send(
                TemplateStore.SavingSQL.addChunks, account, name, id, document.searchConfiguration, columns.positions,
                columns.headings, columns.contents, columns.tokenCounts)
        }
    }
}
