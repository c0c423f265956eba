"""Sends the HTTP API requests that schemathesis makes up from its OpenAPI document, as a tenant's token, as an account and as an operator, and
prints how they were answered as one JSON object.

    fuzz_api.py FOLDER --examples 10 | --seconds 600

Ends with 0 where every answer is one that the document has, none is a fault of the server, and enough of them are a success. What schemathesis
said is in FOLDER. The environment says where: TENANTRY_API_URL, TENANTRY_OPERATOR_TOKEN, TENANTRY_DATABASE_URL.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import http_examples

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]
# How many operations must have succeeded at least once: most requests are wrong on purpose, and a token or an operator may not do most things.
SUCCESSES = {"token": 25, "account": 60, "operator": 15}
SCOPES = ["settings", "corpus", "conversation", "usage", "tokens"]


class Stage:
    """An account with tenants, of which some may be ended, and the credentials of those who ask."""

    def __init__(self):
        world = http_examples.World(http_examples.API(os.environ["TENANTRY_API_URL"]), os.environ["TENANTRY_OPERATOR_TOKEN"])
        http_examples.make(world)
        if world.complaints:
            sys.exit("\n".join(world.complaints))
        self.world = world
        self.spares = [f"acme-spare-{number}" for number in range(20)]
        self.post("tenants", {"tenants": [{"slug": slug, "display_name": slug} for slug in self.spares]})
        scopes = [f"{it}:{verb}" for it in SCOPES for verb in ["read", "write"] if (it, verb) not in [("usage", "write"), ("tokens", "write")]]
        token = {"name": "fuzz", "scopes": scopes + ["conversation:erase"]}
        self.tokens = {
            "token": http_examples.credential(self.post("tenants/acme-shop/tokens", token)),
            "account": world.account,
            "operator": world.operator,
        }
        hook = {"url": "https://hooks.acme.example/fuzz", "events": ["#"]}
        self.webhooks = [self.post(f"{place}webhooks", hook).json()["webhook"] for place in ["", "tenants/acme-shop/"] * 3]
        self.delivery = self.post(f"webhooks/{self.webhooks[0]}/test", {}).json()["delivery"]
        self.keys = [self.post("tenants/acme-shop/tokens", {**token, "name": f"spare {number}"}).json()["key"] for number in range(10)]

    def post(self, path, body):
        headers = {"Content-Type": "application/json"}
        answer = self.world.api.ask("POST", f"/v1/{path}", json.dumps(body).encode(), self.world.account, headers)
        if answer.status >= 300:
            sys.exit(f"{path}: {answer.status} {answer.body.decode()}")
        return answer

    def kept(self):
        """What the requests live by."""
        return ["acme-shop", "opening-hours", "c-1", "u-1", "shop", *self.webhooks[:2], *(it.split(".")[0] for it in self.tokens.values())]

    def configuration(self):
        """Most names in paths are of something that is there: else nearly all would be 404."""
        values = {
            "slug": ["acme-shop"] * 4 + self.spares[:3],
            "account": ["acme"],
            "external_id": ["opening-hours", "returns"],
            "conversation": ["c-1"],
            "invoice": ["acme.2026-10"],
            "webhook": self.webhooks,
            "delivery": [self.delivery],
            "key": self.keys,
            "email": ["ann@example.com"],
            "name": ["shop"],
        }
        lines = []
        for name, known in values.items():
            lines += [f"[dictionaries.{name}]", f"values = {json.dumps(known)}"]
        lines.append("[parameters]")
        for name in values:
            lines.append(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.8 }}')
        for word in ["conversation", "invoice", "webhook"]:
            lines += ["[[operations]]", f'include-path-regex = "/{word}s/"']
            lines.append(f'parameters = {{ "path.id" = {{ dictionary = "{word}", probability = 0.8 }} }}')
        return "\n".join(lines) + "\n"


def run(stage, who, folder, limits):
    """One run of schemathesis: its exit status, and how often each operation had each status."""
    configuration, counts = folder / "schemathesis.toml", folder / f"{who}.json"
    configuration.write_text(stage.configuration(), encoding="utf-8")
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")), f"--config-file={configuration}", "run",
        os.environ["TENANTRY_API_URL"] + "/v1/openapi.json", f"--header=Authorization: Bearer {stage.tokens[who]}",
        f"--checks={','.join(CHECKS)}", "--no-shrink",
        "--suppress-health-check=all", "--continue-on-failure", "--no-color", "--request-timeout=40",
        "--warnings=off", *limits,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "PYTHONHASHSEED": "1",
        "SCHEMATHESIS_HOOKS": "fuzz_hooks",
        "TENANTRY_FUZZ_COUNTS": str(counts),
        "TENANTRY_FUZZ_KEPT": json.dumps(stage.kept()),
    }
    with open(folder / f"{who}.log", "w", encoding="utf-8") as log:
        status = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    return status, json.loads(counts.read_text(encoding="utf-8"))


def judge(who, status, counts, folder):
    """How a run went, and what is wrong with it."""
    totals = {}
    for statuses in counts.values():
        for code, count in statuses.items():
            totals[code] = totals.get(code, 0) + count
    requests = sum(totals.values())
    successes = sum(any(code.startswith("2") for code in statuses) for statuses in counts.values())
    complaints = []
    if status != 0:
        complaints.append((folder / f"{who}.log").read_text(encoding="utf-8")[-20_000:])
    if successes < SUCCESSES[who]:
        complaints.append(f"{successes} operations succeeded at least once; {SUCCESSES[who]} should")
    return {
        "requests": requests, "statuses": dict(sorted(totals.items())), "operations": len(counts), "succeeded": successes,
        "complaints": complaints,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    bound = parser.add_mutually_exclusive_group(required=True)
    bound.add_argument("--examples", type=int)
    bound.add_argument("--seconds", type=int)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    stage = Stage()
    report = {}
    for who in stage.tokens:
        if options.examples:
            # What is wrong in each single place is tried as the one who may most: by the others it would take minutes more.
            phases = "examples,coverage,fuzzing,stateful" if who == "account" else "examples,fuzzing,stateful"
            limits = ["--seed=1", f"--phases={phases}", f"--max-examples={options.examples}", "--generation-deterministic"]
        else:
            seconds = max(1, options.seconds // len(stage.tokens))
            limits = ["--phases=examples,coverage,fuzzing,stateful", f"--max-time={seconds}", "--generation-database=none"]
        report[who] = judge(who, *run(stage, who, options.folder, limits), options.folder)
    json.dump(report, sys.stdout, indent=1)
    print()
    sys.exit(any(it["complaints"] for it in report.values()))


if __name__ == "__main__":
    main()
