#!/usr/bin/env bash
# JupyterLab with the extension, on loopback only. The URL with its token is printed.
set -euo pipefail
cd "$(dirname "$0")/.."
as_root=()
[ "$(id -u)" -eq 0 ] && as_root=(--allow-root)
exec .venv/bin/jupyter lab --no-browser --ip=127.0.0.1 "${as_root[@]}" "$@"
