"""The fresh vectors as a package that others run without us."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.children import held
from harness.conformance import check
from harness.conformance.levels import Level
from harness.conformance.sheets import Sheet
from harness.golden.codec import dumps
from harness.golden.files import SCHEMA_FILE, SUMS, golden_directory, sha256, write_aside
from harness.golden.plan import File
from harness.golden.record import Column, Number, Truth, spell
from harness.golden.store import truth_of
from harness.oracle import Oracle
from harness.types import ApFixed

__all__ = ["facts_of", "package", "write"]

README = """\
# Conformance vectors of ap_fixed and small floats

{count:,} conversions into {types} types: the inputs, the words that the vendor's C++ headers (for
IEEE formats MPFR) answer, and why each is there. Written by {generator}.

    python check.py MODULE:FUNCTION

holds your own function against all of them; `check.py` says what it is given. It needs Python, and
nothing else.

A file is JSON, as `schema.json` has it. A row is `[input, expected, flags]`: hexadecimal words of
the types that `columns` names, and flags, which the head of the file explains. The first flag is
the level:

{levels}

`types.json` has the facts of every type. `SHA256SUMS` is of all files.
"""


def package(sheets: Iterable[Sheet], oracle: Oracle, seed: int) -> dict[str, str]:
    """The files, by name.

    Args:
        sheets: the vectors.
        oracle: the headers that answered.
        seed: of the inputs.
    """
    files: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        files.setdefault(f"{sheet.family}/{sheet.path}.json", []).append(sheet)
    truths = {name: _truth(name, some, oracle, seed) for name, some in files.items()}
    texts = {name: dumps(truth) for name, truth in truths.items()}
    every = [sheet for some in files.values() for sheet in some]
    types = {spell(t): facts_of(t) for s in every for t in (s.source, s.group.target) if _typed(t)}
    texts["types.json"] = json.dumps(types, indent=1) + "\n"
    texts["check.py"] = Path(check.__file__).read_text(encoding="utf-8")
    texts[SCHEMA_FILE] = (golden_directory() / SCHEMA_FILE).read_text(encoding="utf-8")
    texts["README.md"] = README.format(
        count=sum(truth.count for truth in truths.values()),
        types=len({str(sheet.group.target) for sheet in every}),
        generator=next(iter(truths.values())).generator,
        levels="\n".join(f"- `{level}`: {level.about}" for level in Level),
    )
    texts[SUMS] = "".join(f"{sha256(texts[name].encode())}  {name}\n" for name in sorted(texts))
    return texts


def write(directory: Path, texts: dict[str, str]) -> None:
    """Write the files: all of them, or none."""
    with held():
        for name, text in texts.items():
            write_aside(directory / name, text)


def _truth(name: str, sheets: Sequence[Sheet], oracle: Oracle, seed: int) -> Truth:
    groups = []
    for k, sheet in enumerate(sheets):
        pairs = zip(sheet.group.cases, sheet.levels, strict=True)
        cases = tuple(replace(c, flags=(f"level:{level}", *c.flags)) for c, level in pairs)
        groups.append(replace(sheet.group, id=f"{k:04d}", cases=cases))
    family, path = sheets[0].family, sheets[0].path
    operation = "cast" if path == "cast" else "conversion"
    truth = truth_of(File(name, family, operation, path, lambda _: ()), groups, oracle, seed)
    used = {level for sheet in sheets for level in sheet.levels}
    levels = {f"level:{level}": level.about for level in Level if level in used}
    return replace(truth, flags=levels | truth.flags)


def _typed(t: Column) -> bool:
    return not isinstance(t, Number)


def facts_of(t: Any) -> dict[str, Any]:
    """What ``types.json`` says of a type: everything that decides its values."""
    if isinstance(t, ApFixed):
        names = ("width", "integer", "signed", "n")
        modes = {"rounding": t.rounding.name, "overflow": t.overflow.name}
        return {"kind": "fixed", **{name: getattr(t, name) for name in names}, **modes}
    facts = ("width", "exp_bits", "frac_bits", "bias", "flip", "specials", "subnormals")
    modes = {"rounding": t.rounding.name, "overflow": str(t.overflow)}
    return {"kind": "float", **{name: getattr(t, name) for name in facts}, **modes}
