# Sourced by the scripts of this folder: where the repository is, where Swift is, and how progress is told.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# Where Swift's toolchain is put by its tarball, by its container images and by swiftly.
PATH="$PATH:/opt/swift/usr/bin:/usr/local/swift/usr/bin:/usr/share/swift/usr/bin:${HOME-}/.local/share/swiftly/bin"
export PATH

# A line of progress, with the seconds since the script began. On standard error: standard output is for results.
say() {
    printf '[%4d s] %s\n' "$SECONDS" "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

require_swift() {
    command -v swift >/dev/null || fail "There is no swift on PATH. Install Swift 6.2 or newer: https://www.swift.org/install/linux/"
}

# The comment at the head of one of this folder's scripts, up to its first empty line.
usage() {
    sed -e '1d' -e '/^$/,$d' -e 's/^# \{0,1\}//' "$root/deploy/$1"
}
