#!/usr/bin/env bash
# Runs every check there is, or one part: lint, unit, hub, ui. Goes on after a failure,
# so that one run tells everything; pytest lists what it skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
part=${1:-all}
failed=()

title() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
run() {
  local name=$1
  shift
  title "$name"
  "$@" || failed+=("$name")
}
wanted() { [ "$part" = all ] || [ "$part" = "$1" ]; }

# Checks that only compute run beside the tests of a hub, which mostly wait, and give way
# to them. What they say is told in order, at their end.
said=$(mktemp -d)
beside=()
names=()
stop() {
  [ ${#beside[@]} -eq 0 ] || kill -- "${beside[@]/#/-}" 2>/dev/null
  rm -rf "$said"
}
trap stop EXIT
trap 'exit 130' INT TERM
aside() { # NAME COMMAND...
  local name=$1
  shift
  setsid nice "$@" >"$said/$name" 2>&1 &
  beside+=("$!")
  names+=("$name")
}
tell() {
  local pids=("${beside[@]}") each
  for each in "${!pids[@]}"; do
    title "${names[each]}"
    wait "${pids[each]}" || failed+=("${names[each]}")
    cat "$said/${names[each]}"
  done
  beside=()
  names=()
}

# Half of what they do is waiting. A file stays together, for its tests share what takes long
# to start. Not the file with most tests first: the longest ones have few.
in_two=(-n 2 --dist loadfile --no-loadscope-reorder)

if wanted lint; then
  run "ruff" ruff check .
  run "ruff format" ruff format --check .
  aside "mypy" mypy
  aside "eslint, tsc, prettier" jlpm lint
  aside "schema.ts is fresh" jlpm schema:check
fi
if wanted unit; then aside "vitest" jlpm test; fi
if wanted hub || wanted ui; then run "code-server is at hand" bash scripts/code-server.sh; fi
if wanted hub; then run "pytest: real JupyterHub" pytest -q tests/hub; fi
tell
if wanted unit; then
  run "pytest: unit and API" pytest -q "${in_two[@]}" --ignore tests/hub --ignore tests/ui
fi
if wanted ui; then run "pytest: real browser" pytest -q "${in_two[@]}" tests/ui; fi

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'Failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "All of it passed. Skipped tests, if any, are listed with their reasons above."
