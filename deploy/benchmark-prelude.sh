# shellcheck shell=bash
# What the measurements of the HTTP API and of the console have in common: the release build, private servers in a temporary folder with the worker of
# `tenantry dev`, and a `tenantry api` of its own beside it. What was started is stopped and removed at the end.

# shellcheck disable=SC2154 # root is the prelude's
tenantry=$root/.build/release/tenantry
python=$root/.build/venv/bin/python
folder="" api=""

clean() {
    if [ -n "$api" ]; then kill -TERM "$api" 2>/dev/null || true; fi
    (cd "$folder" && "$tenantry" dev reset >/dev/null 2>&1) || true
    rm -rf "$folder"
}

prepare() {
    require_swift
    deploy/packages --tests
    swift build --configuration release --product tenantry >&2 </dev/null
    folder=$(mktemp -d)
    # PostgreSQL's own user must get through to its data.
    chmod 711 "$folder"
    trap clean EXIT
    cp -r config "$folder/config"
    cd "$folder"
    # The load is one account's: its rate is not what is measured.
    export TENANTRY_API_REQUESTS_PER_MINUTE=10000000
    "$tenantry" dev --detach >&2
    # shellcheck source=/dev/null
    source .tenantry/env
}

start_api() {
    port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port
    TENANTRY_API_PORT=$port TENANTRY_HTTP_PORT=0 TENANTRY_LOG_LEVEL=warning "$tenantry" api >&2 &
    api=$!
    until curl --silent --fail --output /dev/null "$url/v1/openapi.json"; do
        kill -0 "$api" 2>/dev/null || fail "The API ended."
        sleep 0.1
    done
}

resident_kilobytes() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$api/status"
}
