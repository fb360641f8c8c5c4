#!/usr/bin/env bash
# Write the versions of the current .venv to constraints.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
{
  echo "# Versions that are tested together; scripts/pin.sh writes this file."
  .venv/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$//'
} >constraints.txt.new
mv constraints.txt.new constraints.txt
