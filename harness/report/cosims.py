"""Comparisons of two functions as programs read them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from harness.cosim.record import Compared

__all__ = ["as_json"]

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
