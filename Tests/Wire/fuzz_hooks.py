"""What schemathesis calls around each request: a run must not end what it lives by, and what was answered is counted."""

import atexit
import collections
import json
import os

import schemathesis

KEPT = set(json.loads(os.environ["TENANTRY_FUZZ_KEPT"]))
SPARE = "acme-spare-19"
ENDING_KINDS = {"tenant.suspend", "tenant.delete", "token.revoke", "account.rotate"}

counts = collections.defaultdict(collections.Counter)


@schemathesis.hook
def before_call(context, case, kwargs):
    path, parameters = case.operation.path, case.path_parameters or {}
    if case.operation.method.upper() == "DELETE" and path.endswith("}") or path.endswith("/suspend"):
        last = path.replace("/suspend", "").rpartition("{")[2].rstrip("}")
        if parameters.get(last) in KEPT:
            parameters[last] = SPARE
    body = case.body
    if path == "/v1/jobs" and isinstance(body, dict) and str(body.get("kind")) in ENDING_KINDS:
        if body["kind"].startswith("tenant."):
            body["tenant"] = SPARE
        else:
            body["payload"] = {"key": SPARE} if body["kind"] == "token.revoke" else {}


@schemathesis.hook
def after_call(context, case, response):
    counts[case.operation.label][response.status_code] += 1


@atexit.register
def write():
    with open(os.environ["TENANTRY_FUZZ_COUNTS"], "w", encoding="utf-8") as file:
        json.dump(counts, file)
