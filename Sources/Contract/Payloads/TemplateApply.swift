extension Kind {
    public static let templateApply = Kind(
        "template.apply", family: .tenant, needsTenant: true, access: Access(account: true), isAudited: true,
        summary: "Copies a template's settings and ready-made chunks into the tenant.")
}

/// `template.apply` (contract, section 4).
public struct TemplateApply: JobPayload, Equatable {
    public static let kind = Kind.templateApply

    /// The template's name.
    public var template: String

    public init(template: String) {
        self.template = template
    }

    public func validate() throws(Rejection) {
        try Rule.length(template, TemplateSave.nameLengths, "/template")
    }

    public static let schema = Schema.object(required: ["template"], ["template": Schema.text(TemplateSave.nameLengths)])

    public static let resultSchema = Schema.object(
        required: ["template", "settings", "documents"],
        [
            "template": Schema.anyText, "settings": Schema.list(Schema.anyText),
            "documents": CorpusIngest.outcomesSchema,
        ])
}
