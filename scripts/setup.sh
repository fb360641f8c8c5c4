#!/usr/bin/env bash
# Make a virtual environment with the pinned versions, saying what is being done.
# Usage: setup.sh PYTHON VENV
set -euo pipefail

python=$1
venv=$2

fail() {
  echo "setup: $1" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "no $python; install Python 3.10 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  fail "$("$python" --version) is too old; Python 3.10 or newer is needed"
command -v "${CXX:-g++}" >/dev/null || fail "no C++ compiler ${CXX:-g++}; install g++, or set CXX"

echo "setup: creating $venv with $("$python" --version)"
"$python" -m venv "$venv" || fail "cannot create $venv; is python3-venv installed?"

step() {
  echo "setup: $1"
  local log="$venv/setup.log"
  shift
  if ! "$venv/bin/python" -m pip --disable-pip-version-check install -q -c constraints.txt "$@" \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "pip failed; the whole output is in $log"
  fi
}

# torch first and alone: its pinned build decides what every other package may ask of it.
step "installing torch (a large download)" torch
step "installing cppyy (compiles a C++ interpreter's bindings: minutes, once)" cppyy
step "installing the harness and its tools" -e '.[test,frontends,lint,bench,rtl,examples]'
echo "setup: done"
