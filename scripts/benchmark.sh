#!/usr/bin/env bash
# Measures beside the peers and prints a table in Markdown, about twenty-five minutes.
# Arguments go on: names of single benchmarks, --quick to try the scripts themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHONPATH=tests exec .venv/bin/python -m benchmarks "$@"
