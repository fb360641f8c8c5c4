"""Golden vectors checked and replayed: JSON, and cases of a CI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.golden.files import golden_directory
from harness.golden.replay import Replayed
from harness.report.outcome import Case, Kind, Outcome, Suite

if TYPE_CHECKING:  # it brings the oracle, and who replays needs none
    from harness.golden.store import Checked

__all__ = ["checked", "checked_json", "replayed", "replayed_json"]

#: Differences of one file that a case has.
SHOWN = 10


def replayed(
    found: Sequence[tuple[str, Replayed]], sentence: str, agrees: bool, again: str = ""
) -> Outcome:
    """A case a file, which fails with the vectors that Python answers otherwise.

    Args:
        found: names of files and what became of them.
        sentence: the verdict.
        agrees: whether no vector differs.
        again: the command line that finds it again; may be left out.
    """
    suite = Suite("files", tuple(_replayed(name, each) for name, each in found))
    return Outcome("harness golden replay", sentence, agrees, (suite,), again)


def _replayed(name: str, found: Replayed) -> Case:
    shown = _named(name)
    if not found.differences:
        return Case(shown, "AGREE", f"{found.vectors:,} vectors")
    first = found.differences[0].at(name)
    place = first.removeprefix(f"{name}:").partition(":")[0]
    lines = [d.at(name) for d in found.differences[:SHOWN]]
    told = f"{len(found.differences):,} of {found.vectors:,} vectors differ"
    line = int(place) if place.isdecimal() and Path(name).is_file() else None
    text = "\n".join([told, *lines])
    return Case(shown, "DIFFER", text, Kind.FAILED, name if line else "", line)


def _named(name: str) -> str:
    """A file; one of the committed ones is named without the folder that they were installed to."""
    path, home = Path(name), golden_directory()
    return str("golden" / path.relative_to(home)) if path.is_relative_to(home) else name


def replayed_json(found: Sequence[tuple[str, Replayed]]) -> str:
    """All of it, for programs.

    Args:
        found: names of files and what became of them.
    """
    differences = sum(len(each.differences) for _, each in found)
    facts = {
        "agrees": differences == 0,
        "vectors": sum(each.vectors for _, each in found),
        "differences": differences,
        "files": [
            {
                "file": _named(name),
                "groups": each.groups,
                "vectors": each.vectors,
                "differences": [{**asdict(d), "text": d.at(name)} for d in each.differences],
            }
            for name, each in found
        ],
    }
    return json.dumps(facts, indent=2)


def checked(found: Checked, sentence: str, again: str = "") -> Outcome:
    """A case for each file that differs, and one for the rest.

    Args:
        found: what was checked.
        sentence: the verdict.
        again: the command line that finds it again; may be left out.
    """
    wrong = [
        Case(text.partition(":")[0], "DIFFER", text, Kind.FAILED) for text in found.differences
    ]
    same = found.files - len(wrong)
    rest = [Case(f"{same} files are the same, byte for byte", "SAME")] if same > 0 else []
    return Outcome(
        "harness golden check", sentence, not wrong, (Suite("files", (*wrong, *rest)),), again
    )


def checked_json(found: Checked) -> str:
    """All of it, for programs.

    Args:
        found: what was checked.
    """
    return json.dumps({"agrees": not found.differences, **asdict(found)}, indent=2)
