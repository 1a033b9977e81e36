#!/usr/bin/env bash
# Make .venv-analysis with the analysers of the contracts, apart from the project's own packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m venv --clear .venv-analysis
.venv-analysis/bin/python -m pip install --quiet --require-hashes -r requirements-analysis.lock
touch .venv-analysis/.ready
