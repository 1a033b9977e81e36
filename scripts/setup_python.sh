#!/usr/bin/env bash
# Make .venv with exactly the packages of requirements.lock, and this project in editable form.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer was not found." \
    "Remedy: apt-get install python3 python3-venv, or name one: make setup PYTHON=/path/to/python3"
}

if ! .venv/bin/python -m pip --version > /dev/null 2>&1; then
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2> /dev/null ||
    fail "$python cannot make virtual environments." "Remedy on Debian: apt-get install python3-venv"
  "$python" -m venv --clear .venv
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
touch .venv/.ready
