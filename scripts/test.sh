#!/usr/bin/env bash
# Runs every check there is, or one part: lint, unit, hub, ui. Goes on after a failure,
# so that one run tells everything; pytest lists what it skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
part=${1:-all}
failed=()

run() {
  local name=$1
  shift
  printf '\n\033[1m==> %s\033[0m\n' "$name"
  "$@" || failed+=("$name")
}
wanted() { [ "$part" = all ] || [ "$part" = "$1" ]; }

if wanted lint; then
  run "ruff" ruff check .
  run "ruff format" ruff format --check .
  run "mypy" mypy
  run "eslint, tsc, prettier" jlpm lint
  run "schema.ts is fresh" jlpm schema:check
fi
if wanted unit; then
  run "vitest" jlpm test
  run "pytest: unit and API" pytest -q --ignore tests/hub --ignore tests/ui
fi
if wanted hub || wanted ui; then run "code-server is at hand" bash scripts/code-server.sh; fi
if wanted hub; then run "pytest: real JupyterHub" pytest -q tests/hub; fi
if wanted ui; then run "pytest: real browser" pytest -q tests/ui; fi

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'Failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "All of it passed. Skipped tests, if any, are listed with their reasons above."
