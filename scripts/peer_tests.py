"""Run the tests of the libraries whose interfaces are served, with the import lines changed alone.

.venv/bin/python -m scripts.peer_tests PEERS [--only NAME] [--package CHECKOUT] [--original]

PEERS is a folder with a checkout of each library of ``peer_tests.toml`` under its name there.  None
of their code is kept: the files are copied to a temporary folder, and lines that import are changed
by the patterns of the table.  What is printed is a Markdown table: file, tests, how many passed.
``--package`` runs them on another checkout of this repository, to compare with an earlier state;
``--original`` changes nothing, so that the library itself answers, where it is installed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tomllib

HERE = Path(__file__).resolve().parent
#: A line that imports, and the module that it names.
IMPORT = re.compile(r"^(\s*(?:from|import)\s+)(\S+)(.*)$")


def main() -> None:
    """The table of every library that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", type=Path)
    parser.add_argument("--only", help="one library of the table")
    parser.add_argument("--package", type=Path, default=HERE.parent)
    parser.add_argument("--original", action="store_true")
    parser.add_argument("--show", action="store_true", help="also which tests failed")
    chosen = parser.parse_args()
    table = tomllib.loads((HERE / "peer_tests.toml").read_text())
    if chosen.only and chosen.only not in table:
        parser.error(f"no library {chosen.only}; there are {', '.join(table)}")
    print("| library | file | tests | passed | failed | skipped |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name in [chosen.only] if chosen.only else table:
        for file in table[name]["files"]:
            row, failures = run(chosen.peers / name, file, table[name], chosen)
            shown = Path(file).relative_to(table[name]["folder"])
            print(f"| {name} | {shown} | " + " | ".join(map(str, row)) + " |", flush=True)
            for failure in failures if chosen.show else ():
                print(f"    {failure}", file=sys.stderr)


def run(
    peer: Path, file: str, facts: Mapping[str, Any], chosen: argparse.Namespace
) -> tuple[tuple[int, int, int, int], list[str]]:
    """How many tests the file has, passed, failed and skipped; and the failed ones."""
    if not (peer / file).is_file():
        raise SystemExit(f"{peer / file} is no file: check out {facts['repository']} there")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tests"
        # Helpers lie beside the tests: the whole folder that the table names is copied.
        shutil.copytree(peer / facts["folder"], root, ignore=shutil.ignore_patterns("__pycache__"))
        if not chosen.original:
            for path in root.rglob("*.py"):
                path.write_text(changed(path.read_text(errors="replace"), facts["imports"]))
        report = Path(folder) / "report.xml"
        target = root / Path(file).relative_to(facts["folder"])
        paths = [str(chosen.package.resolve())] if not chosen.original else []
        paths += [str(root / part) for part in facts.get("path", [])]
        pytest = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
        pytest += ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={root}"]
        subprocess.run(
            [*pytest, *facts.get("options", []), str(target)],
            cwd=root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | facts.get("environment", {}),
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return counted(report)


def changed(text: str, imports: Mapping[str, str]) -> str:
    """The text with the modules that it imports replaced, by patterns of a whole module's name."""
    return "".join(f"{_changed(line, imports)}\n" for line in text.splitlines())


def _changed(line: str, imports: Mapping[str, str]) -> str:
    found = IMPORT.match(line)
    if found:
        start, module, rest = found.groups()
        for pattern, ours in imports.items():
            if re.fullmatch(pattern, module):
                # `import peer` binds the name that the rest of the file uses.
                bound = start.strip() == "import" and not rest.strip() and "." not in module
                return start + re.sub(pattern, ours, module) + (f" as {module}" if bound else rest)
    return line


def counted(report: Path) -> tuple[tuple[int, int, int, int], list[str]]:
    """The counts of a JUnit file, and one line for each test that failed."""
    if not report.is_file():
        return (0, 0, 0, 0), ["pytest wrote no report"]
    passed = failed = skipped = 0
    failures = []
    for case in ElementTree.parse(report).iter("testcase"):
        wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
        if wrong is not None:
            failed += 1
            message = (wrong.get("message") or "").strip().splitlines() or [""]
            failures.append(f"{case.get('classname')}::{case.get('name')}: {message[0][:160]}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return (passed + failed + skipped, passed, failed, skipped), failures


if __name__ == "__main__":
    main()
