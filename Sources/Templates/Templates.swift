internal import Contract
public import Jobs

/// The kinds `template.*`: settings and documents that tenants are given copies of.
public enum Templates {
    public static func handlers() -> [any JobHandler] { [templateSave(), templateRemove(), templateApply()] }
}
