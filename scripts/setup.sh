#!/usr/bin/env bash
# Leaves a working virtual environment in .venv and the built extension in place.
# The only script that installs system packages; it says which and why.
# Each step is skipped when its inputs have not changed since it last succeeded.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" # the builder calls jlpm by name

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

# A step's stamp holds a hash of the files that it depends on.
stamps=.venv/stamps
unchanged() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }
done_with() { mkdir -p "$stamps" && printf %s "$2" >"$stamps/$1"; }
hash_of() { cat "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }

system_packages() {
  local missing=()
  need() { # COMMAND-THAT-FINDS-IT "WHY" PACKAGE...
    local there=$1 why=$2
    shift 2
    eval "$there" >/dev/null 2>&1 && return
    say "Missing: $* ($why)"
    missing+=("$@")
  }
  need 'command -v chromium || command -v chromium-browser' "the browser tests drive it" chromium
  need '[ -n "$(fc-list "DejaVu Sans")" ]' "text in screenshots" fonts-dejavu-core fontconfig
  need 'command -v cc' "tests compile a stand-in for the GPU driver" gcc libc6-dev
  need 'command -v g++ && command -v make' "the tests' code-server has parts to compile" g++ make
  need '[ -f /usr/include/gssapi/gssapi.h ]' "one of those parts is for Kerberos" libkrb5-dev
  need 'command -v Xtigervnc && command -v openbox && command -v xterm && command -v xclip && command -v dbus-run-session && command -v gio && [ -d /usr/share/mime/application ]' \
    "a desktop for the tests of the desktop" tigervnc-standalone-server openbox xterm xclip dbus-x11 libglib2.0-bin shared-mime-info
  need '${PYTHON:-python3} -c "import ensurepip"' "makes the virtual environment" python3-venv
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "Not installed, for want of root or sudo. What needs them will say so."
      return
    }
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null ||
    say "They could not be installed. What needs them will say so."
}

python_at_least_3_10() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

virtual_environment() {
  local python=${PYTHON:-python3}
  python_at_least_3_10 "$python" || {
    say "Python 3.10 or newer is needed; set PYTHON to one."
    exit 1
  }
  if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Making a virtual environment in .venv"
    "$python" -m venv --clear .venv || {
      say "It could not be made. On Debian it needs python3-venv."
      exit 1
    }
  fi
}

package() {
  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || {
    say "Node.js 20 or newer is needed to build the JupyterLab extension."
    exit 1
  }
  local inputs
  inputs=$(hash_of pyproject.toml package.json yarn.lock)
  if ! unchanged package "$inputs"; then
    say "Installing jupyter-einfra and its development tools (a few minutes the first time)"
    .venv/bin/pip install -q --upgrade pip
    .venv/bin/pip install -q -e '.[dev]'
    done_with package "$inputs"
  fi
}

# hatch builds the extension on the first install; later changes of its source come here.
page() {
  local inputs
  inputs=$(find labextension/src labextension/style labextension/schema -type f -print0 |
    sort -z | xargs -0 cat package.json yarn.lock tsconfig*.json | sha256sum | cut -d' ' -f1)
  if ! unchanged page "$inputs" || [ ! -f jupyter_einfra/labextension/package.json ] ||
    [ ! -f jupyter_einfra/apps/pages/page.js ] || [ ! -f jupyter_einfra/apps/pages/desktop.js ]; then
    say "Building the JupyterLab extension"
    .venv/bin/jlpm install --immutable >.venv/jlpm.log 2>&1 || { cat .venv/jlpm.log; exit 1; }
    .venv/bin/jlpm build:prod >.venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }
    done_with page "$inputs"
  fi
  # The install copied these; links show what is built from now on.
  local pages=.venv/share/jupyter/labextensions/@e-infra
  mkdir -p "$pages" .venv/etc/jupyter/jupyter_server_config.d
  [ -L "$pages/jupyter-einfra" ] || rm -rf "$pages/jupyter-einfra"
  ln -sfn "$PWD/jupyter_einfra/labextension" "$pages/jupyter-einfra"
  ln -sf "$PWD"/etc/jupyter/jupyter_server_config.d/*.json .venv/etc/jupyter/jupyter_server_config.d/
}

system_packages
virtual_environment
package
page
