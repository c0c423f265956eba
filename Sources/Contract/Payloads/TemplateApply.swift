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

    public static let fields = Fields(TemplateApply(template: "")) {
        Field("template", \.template, .text(TemplateSave.nameLengths))
    }

    public static let example = TemplateApply(template: "shop")

    public static let resultSchema = Schema.object(
        required: ["template", "settings", "documents"],
        [
            "template": Schema.anyText, "settings": Schema.list(Schema.anyText),
            "documents": CorpusIngest.outcomesSchema,
        ])
}
