extension Kind {
    public static let templateRemove = Kind(
        "template.remove", family: .tenant, access: Access(account: true), isAudited: true, takesPrecondition: true,
        summary: "Forgets a template; tenants that it was applied to keep what they have.")
}

/// `template.remove` (contract, section 4).
public struct TemplateRemove: JobPayload, Equatable {
    public static let kind = Kind.templateRemove

    public var name: String

    public init(name: String) {
        self.name = name
    }

    public static let fields = Fields(TemplateRemove(name: "")) {
        Field("name", \.name, .text(TemplateSave.nameLengths))
    }

    public static let example = TemplateRemove(name: "shop")

    public static let resultSchema = Schema.object(required: ["template"], ["template": Schema.anyText])
}
