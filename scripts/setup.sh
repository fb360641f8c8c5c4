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

# Python compiles a module when it is first imported: pip would compile all of them, one by one.
install() {
  local name=$1 log="$venv/setup-$1.log"
  shift
  "$venv/bin/python" -m pip --disable-pip-version-check install -q --no-compile "$@" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "pip failed on $name; the whole output is in $log"; }
}

# The versions are known, so nothing is resolved: what is large, what compiles, and two halves of
# what is left, side by side.
grep -v '^#' constraints.txt >"$venv/all.txt"
grep '^torch=' "$venv/all.txt" >"$venv/torch.txt"
grep -i cppyy "$venv/all.txt" >"$venv/cppyy.txt"
grep -vxf "$venv/torch.txt" "$venv/all.txt" | grep -vxf "$venv/cppyy.txt" >"$venv/rest.txt"
awk 'NR % 2' "$venv/rest.txt" >"$venv/tools.txt"
awk 'NR % 2 == 0' "$venv/rest.txt" >"$venv/more-tools.txt"

declare -A running
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT  # where one fails, or is stopped, none goes on
for part in torch cppyy tools more-tools; do
  install "$part" --no-deps -r "$venv/$part.txt" &
  running[$!]=$part
done
echo "setup: installing $(wc -l <"$venv/all.txt") packages; the first time, cppyy compiles a C++ interpreter: minutes"
while [ ${#running[@]} -gt 0 ]; do
  wait -n -p ended "${!running[@]}" || exit 1
  unset "running[$ended]"
  [ ${#running[@]} = 0 ] || echo "setup: ${SECONDS} s; still installing: ${running[*]}"
done

# What a version above does not run on here, pip resolves; and it sees that all fits together.
install harness -c constraints.txt -e '.[test,frontends,lint,docs,bench,rtl,examples]'
echo "setup: done in ${SECONDS} s"
