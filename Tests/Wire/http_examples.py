"""Sends every example of the HTTP API's OpenAPI document to that API, in an order in which each can work, and prints what was wrong as one
JSON object.

The environment says where: TENANTRY_API_URL, TENANTRY_OPERATOR_TOKEN, TENANTRY_DATABASE_URL. The account that the examples are about must
not be there yet.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse

import jsonschema
import referencing
import referencing.jsonschema

# What ends something, in this order, after everything else.
LAST = [
    "post-tenants-by-slug-suspend",
    "post-tenants-by-slug-resume",
    "delete-tenants-by-slug",
    "post-tenants-by-slug-restore",
    "delete-tokens-by-key",
    "delete-templates-by-name",
    "delete-sessions-by-key",
    "delete-session",
    "delete-admins-by-email",
]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()
        self.type = self.headers.get("content-type", "").split(";")[0]

    def json(self):
        return json.loads(self.body)


class API:
    def __init__(self, url):
        self.place = urllib.parse.urlsplit(url).netloc

    def ask(self, method, path, body=None, token=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(self.place, timeout=60)
        connection.request(method, path, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer


class Operation:
    def __init__(self, document, path, method, description):
        self.path, self.method, self.description = path, method.upper(), description
        self.id = description["operationId"]
        self.parameters = [self.resolve(document, parameter) for parameter in description["parameters"]]
        self.responses = description["responses"]
        content = description.get("requestBody", {}).get("content", {})
        self.bodies = [(media, it["example"]) for media, it in content.items() if "example" in it]
        self.lacks_example = bool(content) and not self.bodies

    @staticmethod
    def resolve(document, it):
        while "$ref" in it:
            target = document
            for step in it["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            it = target
        return it

    def rank(self):
        """What makes something, from the outside in; what reads and changes; what ends something, from the inside out."""
        if self.id in LAST:
            return (3, LAST.index(self.id), "")
        depth = self.path.count("/")
        if self.method == "DELETE":
            return (2, -depth, self.path)
        return (0 if "201" in self.responses else 1, depth, self.path)

    def names(self, place):
        return [it for it in self.parameters if it["in"] == place]


class World:
    """Who asks, and what the answers so far have named."""

    def __init__(self, api, operator):
        self.api = api
        self.document = api.ask("GET", "/v1/openapi.json").json()
        resource = referencing.Resource(self.document, referencing.jsonschema.DRAFT202012)
        self.registry = referencing.Registry().with_resource("document", resource)
        self.operator, self.account, self.session = operator, None, None
        self.learned, self.bodies = {}, {}
        self.complaints = []
        self.sent = 0
        operations = [
            Operation(self.document, path, method, description)
            for path, item in self.document["paths"].items()
            for method, description in item.items()
        ]
        self.operations = sorted(operations, key=Operation.rank)

    def token(self, operation):
        if operation.description.get("security") == []:
            return None
        if operation.id == "delete-session":
            return self.session
        return self.account if re.search("the account|any credential", operation.description["description"]) else self.operator

    def target(self, operation, media, token):
        known = self.learned.get((operation.id, token)) or self.learned.get((operation.id, None), {})
        path = operation.path
        for it in operation.names("path"):
            value = it.get("example", known.get(it["name"]))
            if value is None:
                raise LookupError(f"{operation.id}: nothing is known to stand for {it['name']}")
            path = path.replace("{" + it["name"] + "}", urllib.parse.quote(str(value), safe=""))
        query = {it["name"]: it["example"] for it in operation.names("query") if "example" in it}
        if media == "text/csv" and any(it["name"] == "rows" for it in operation.names("query")):
            query["rows"] = "true"
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def send(self, operation):
        for media, example in operation.bodies or [(None, None)]:
            token = self.token(operation)
            headers = {it["name"]: it["example"] for it in operation.names("header") if "example" in it}
            body = None
            if media == "application/json":
                example = {**example, **self.bodies.get((operation.id, token), {})}
            if media:
                headers["Content-Type"] = media
                body = example.encode() if isinstance(example, str) else json.dumps(example).encode()
            answer = self.api.ask(operation.method, self.target(operation, media, token), body, token, headers)
            self.sent += 1
            self.look_at(operation, answer)
            if answer.status < 300:
                self.learn(operation, token, example, answer)
                if answer.status == 202:
                    self.wait_for(answer, token)

    def look_at(self, operation, answer):
        """A 2xx, and a body as the document has it."""
        name = f"{operation.id}: {answer.status}"
        described = operation.responses.get(str(answer.status))
        if not 200 <= answer.status < 300 or described is None:
            self.complaints.append(f"{name} {answer.body[:500].decode(errors='replace')}")
            return
        content = Operation.resolve(self.document, described).get("content", {})
        if not content and not answer.body:
            return
        if answer.type not in content:
            self.complaints.append(f"{name} with {answer.type}")
        elif answer.type == "application/json":
            schema = absolute(content[answer.type]["schema"])
            validator = jsonschema.Draft202012Validator(schema, registry=self.registry)
            for error in validator.iter_errors(answer.json()):
                self.complaints.append(f"{name} {error.json_path}: {error.message[:200]}")

    def learn(self, operation, token, body, answer):
        """Follows the links of the answer as far as to know what they say."""
        links = Operation.resolve(self.document, operation.responses[str(answer.status)]).get("links", {})
        for link in links.values():
            values = {}
            for name, expression in link["parameters"].items():
                values[name] = self.evaluate(expression, operation, token, body, answer)
            if None not in values.values():
                self.learned[(link["operationId"], token)] = values
            # What an example cannot know, such as a number that the server made up.
            named = link.get("requestBody", {}).items()
            self.bodies[(link["operationId"], token)] = {
                name: self.evaluate(it, operation, token, body, answer) for name, it in named
            }
        if operation.id == "post-accounts":
            self.account = credential(answer)
        if operation.id == "post-session":
            self.session = credential(answer)

    def evaluate(self, expression, operation, token, body, answer):
        source, _, rest = expression.partition("#")
        if source.startswith("$response.header."):
            return answer.headers.get(source.removeprefix("$response.header.").lower())
        if source.startswith("$request.path."):
            name = source.removeprefix("$request.path.")
            example = [it["example"] for it in operation.names("path") if it["name"] == name and "example" in it]
            return (example or [self.learned.get((operation.id, token), {}).get(name)])[0]
        value = body if source == "$request.body" else answer.json()
        for step in rest.split("/")[1:]:
            try:
                value = value[int(step) if isinstance(value, list) else step]
            except (LookupError, TypeError):
                return None
        return value

    def wait_for(self, answer, token):
        while True:
            job = self.api.ask("GET", answer.headers["location"], token=token).json()
            if job["status"] == "rejected":
                self.complaints.append(f"{job['kind']}: {job['error']}")
            if job["status"] != "pending":
                return
            time.sleep(0.05)

    def operation(self, name):
        return next(it for it in self.operations if it.id == name)


def absolute(schema):
    """The schema with its references leading into the document."""
    if isinstance(schema, dict):
        return {
            name: "document" + it if name == "$ref" and isinstance(it, str) else absolute(it) for name, it in schema.items()
        }
    return [absolute(it) for it in schema] if isinstance(schema, list) else schema


def credential(answer):
    made = answer.json()
    return made["key"] + "." + made["secret"]


def change(sql):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", sql, os.environ["TENANTRY_DATABASE_URL"]], check=True)


def write_letter(world):
    """A dead letter, as the examples name one."""
    example = next(it["example"] for it in world.operation("get-dead-by-letter").names("path"))
    change(
        "insert into tenantry.dead_letters (id, job_id, kind, account, key, code, message, attempts, failed_at, body_bytes, is_sealed)"
        f" values ('{example}', 'j', 'tenant.create', 'acme', 'k', 'conflict', 'taken', 1, now(), 2, true)"
    )


def close_a_month(world):
    """An invoice, as the examples name one: of a month in which the account was there."""
    change("update tenantry.accounts set created_at = '2026-09-01' where slug = 'acme'")
    job = {"kind": "billing.close", "payload": {"period": "2026-10", "account": "acme"}}
    answer = world.api.ask("POST", "/v1/jobs", json.dumps(job).encode(), world.operator, {"Content-Type": "application/json"})
    if answer.status != 200 or answer.json()["invoice_count"] != 1:
        world.complaints.append(f"billing.close: {answer.status} {answer.body.decode()}")


def make(world):
    """Sends the examples that make something: what the others are about."""
    for operation in [it for it in world.operations if it.rank()[0] == 0]:
        world.send(operation)
        if operation.id == "post-accounts":
            close_a_month(world)


def main():
    world = World(API(os.environ["TENANTRY_API_URL"]), os.environ["TENANTRY_OPERATOR_TOKEN"])
    make(world)
    write_letter(world)
    for operation in [it for it in world.operations if it.rank()[0] > 0]:
        if operation.id == "delete-session":
            # The one before has just been ended.
            world.send(world.operation("post-session"))
        world.send(operation)
    report = {
        "operations": len(world.operations),
        "sent": world.sent,
        "complaints": world.complaints,
        "without an example": [it.id for it in world.operations if it.lacks_example],
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
