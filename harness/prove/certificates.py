"""Certificates as JSON, and their questions as SMT-LIB, which other solvers read."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import harness
from harness.golden.files import write_aside
from harness.prove.record import Certificate

__all__ = ["as_json", "export"]


def as_json(certificates: Iterable[Certificate], **more: Any) -> str:
    """All of them, with the versions that they depend on; words are hexadecimal text."""
    facts = {
        **more,
        "harness": harness.__version__,
        "python": platform.python_version(),
        "pyosys": _version("pyosys"),
        "certificates": [_facts(found) for found in certificates],
    }
    return json.dumps(facts, indent=1)


def _facts(found: Certificate) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(found).items() if name != "query"}
    facts["outcome"] = found.outcome.value
    facts["seconds"] = round(found.seconds, 6)
    for name in ("inputs", "planted"):
        facts[name] = {key: hex(value) for key, value in facts[name].items()}
    facts["codes"] = (
        None
        if found.codes is None
        else dict(zip(("subject", "law"), map(hex, found.codes), strict=True))
    )
    return facts


def export(certificates: Iterable[Certificate], folder: Path) -> list[Path]:
    """Write the questions, each under its hash, saying what the answer was.

    They must have been kept.  A question is whether an input tells subject and law apart, so
    ``unsat`` is the proof.
    """
    paths = []
    for found in certificates:
        program = found.query.startswith("#include")
        path = folder / f"{found.query_sha256[:16]}.{'cpp' if program else 'smt2'}"
        mark = "//" if program else ";"
        write_aside(
            path, f"{mark} {found.subject}: {found.question}: {found.outcome.value}\n{found.query}"
        )
        paths.append(path)
    return paths


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
