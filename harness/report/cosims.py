"""Comparisons of two functions as programs read them: JSON, and a case of a CI."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from harness.cosim.record import Compared
from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["as_json", "outcome"]

COUNTS = ("count", "lowest", "highest", "zeros", "negative", "at_min", "at_max")


def as_json(found: Compared) -> str:
    """All of it, for programs."""
    difference = found.difference
    document: dict[str, Any] = {
        "verdict": "AGREE" if found.agrees else "DIFFER" if difference else "NOTHING COMPARED",
        "sides": list(found.names),
        "calls": found.count,
        "every_input": found.every,
        "difference": None,
        "seen": [
            {
                "name": name,
                "direction": direction,
                "type": str(seen.type),
                **{key: getattr(seen, key) for key in COUNTS},
            }
            for (direction, name), seen in found.seen.numbers.items()
        ],
    }
    document["lost"] = {name: [asdict(lost) for lost in all_] for name, all_ in found.lost.items()}
    if difference is not None:
        document["difference"] = {
            "calls": [{k: np.asarray(v).tolist() for k, v in c.items()} for c in difference.calls],
            "output": difference.port,
            "place": difference.place,
            "answers": [{"value": x.value, "code": x.code} for x in difference.answers],
        }
    return json.dumps(document, indent=2)


def outcome(found: Compared, again: str = "") -> Outcome:
    """One case, which fails if the functions differ or nothing was compared.

    Args:
        found: what was found.
        again: the command line that finds it again; may be left out.
    """
    text = str(found)
    sentence = text.splitlines()[0]
    word = sentence.partition(":")[0]
    kind = Kind.PASSED if found.agrees else Kind.FAILED
    told = text.removeprefix(f"{word}: ")
    suite = Suite("functions", (Case(" and ".join(found.names), word, told, kind),))
    return Outcome("harness cosim", sentence, found.agrees, (suite,), again)
