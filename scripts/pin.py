"""Write the versions of this environment to constraints.txt: ``.venv/bin/python scripts/pin.py``.

A version that does not run on the oldest supported Python is pinned for newer ones only, so that
pip may choose an older release there.
"""

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

OLDEST = 10
HEAD = "# Versions that are tested together; scripts/pin.py writes this file.\n"


def main() -> None:
    lines = []
    for package in distributions():
        name, version = package.metadata["Name"], package.version.partition("+")[0]
        if name in ("hls-harness", "pip", "setuptools", "wheel"):
            continue
        needs = re.search(r">=\s*3\.(\d+)", package.metadata.get("Requires-Python") or "")
        minor = int(needs.group(1)) if needs else OLDEST
        marker = f'; python_version >= "3.{minor}"' if minor > OLDEST else ""
        lines.append(f"{name}=={version}{marker}\n")
    path = Path(__file__).resolve().parent.parent / "constraints.txt"
    aside = path.with_suffix(".new")
    aside.write_text(HEAD + "".join(sorted(set(lines), key=str.lower)), encoding="utf-8")
    aside.replace(path)
    sys.stdout.write(f"{len(lines)} versions written to {path.name}\n")


if __name__ == "__main__":
    main()
