/// What became of a job, for whoever binds to `tenantry.events`: its answer without the result, which is for the one who asked.
enum JobOutcome {
    static let schema: JSONValue = Schema.object(
        required: ["job_id", "kind", "account", "tenant", "status", "duplicate", "error"],
        [
            "job_id": Schema.anyText, "kind": Schema.anyText,
            "account": Schema.anyText.mergePatch(["description": "Empty where the sender is of no account, or not known."]),
            "tenant": Schema.optional(Schema.anyText), "status": Answer.Status.schema, "duplicate": Schema.boolean,
            "error": Schema.optional(Rejection.schema),
        ])
}
