#!/usr/bin/env bash
# Install exactly the packages of package-lock.json: Foundry, the compiler, the contract libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

[ "$(uname -sm)" = "Linux x86_64" ] ||
  fail "the Foundry tools are pinned for Linux on x86-64; this is $(uname -sm)." \
    "Remedy: work in a Linux x86-64 container or machine"
major=$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null || echo 0)
[ "$major" -ge 20 ] || fail "Node 20 or newer was not found." \
  "Remedy: apt-get install nodejs npm (Debian 13), or install Node 20 from its makers"
command -v npm > /dev/null || fail "npm was not found." "Remedy: apt-get install npm"

npm ci --ignore-scripts --loglevel=error
touch node_modules/.ready
