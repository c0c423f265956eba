"""What schemathesis calls around each request: a run must not end what it lives by nor call strangers, and what was answered is counted."""

import atexit
import collections
import itertools
import json
import os
import re

import schemathesis

KEPT = set(json.loads(os.environ["TENANTRY_FUZZ_KEPT"]))
SPARE = "acme-spare-19"
ENDING_KINDS = {"tenant.suspend", "tenant.delete", "token.revoke", "account.rotate"}

numbers = itertools.count()
counts = collections.defaultdict(collections.Counter)


@schemathesis.hook
def before_call(context, case, kwargs):
    path, parameters = case.operation.path, case.path_parameters or {}
    if case.operation.method.upper() == "DELETE" and path.endswith("}") or path.endswith("/suspend"):
        last = path.replace("/suspend", "").rpartition("{")[2].rstrip("}")
        if parameters.get(last) in KEPT:
            parameters[last] = SPARE
    if case.operation.method.upper() == "DELETE" and (case.query or {}).get("user_id") in KEPT:
        case.query["user_id"] = "u-2"
    # One key for many requests makes conflicts of nearly all of them: only every fourth stays as it is.
    key, number = (case.headers or {}).get("Idempotency-Key"), next(numbers)
    if number % 4 and isinstance(key, str) and re.fullmatch("[!-~]{1,110}", key):
        case.headers["Idempotency-Key"] = f"{key}.{number}"
    body = case.body
    for part in [body, body.get("payload")] if isinstance(body, dict) else []:
        if isinstance(part, dict) and isinstance(part.get("url"), str):
            part["url"] = re.sub("^(https?)://[^/?]*", r"\1://hooks.acme.example", part["url"], flags=re.IGNORECASE)
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
