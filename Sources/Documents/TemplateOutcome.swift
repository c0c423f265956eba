public import Contract

/// What a tenant was given from a template.
public struct TemplateOutcome: Sendable, Equatable {
    /// The settings that were written, in ascending order.
    public let settings: [String]
    /// An entry for each document, in the template's order, as ``Verdict/outcome(of:chunks:)`` makes it.
    public let documents: [JSONValue]

    /// `{"settings": […], "documents": […]}`, for an answer.
    public var result: [String: JSONValue] {
        ["settings": .array(settings.map { .string($0) }), "documents": .array(documents)]
    }
}
