#!/usr/bin/env bash
# Leaves pages of applications untouched for minutes and sees that they count as idle.
# The argument is for how many seconds, 300 if left out; pytest's options may follow.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" EINFRA_SOAK_SECONDS=${1:-300}
limit=$((EINFRA_SOAK_SECONDS * 3 + 240))
bash scripts/code-server.sh
pytest -q --timeout "$limit" tests/ui/test_idleness.py -k untouched "${@:2}"
pytest -q --timeout "$limit" tests/hub/test_idleness.py "${@:2}"
