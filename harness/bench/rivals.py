"""Time the peers beside our quantizer, and compare what they compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import harness
from harness.bench.clock import affordable, interleave, median_ratio, stopwatch
from harness.bench.grid import copy_call, quantize_call
from harness.bench.machine import version
from harness.bench.peers import PEERS, Peer
from harness.report.timing import Bar
from harness.types import ApFixed

__all__ = ["Rivalry", "compare", "steps"]

#: Seconds that one peer may take in one mode; a slow one is repeated less often.
BUDGET = 6.0


@dataclass(frozen=True)
class Rivalry:
    """One peer to one type.  The figures are ``None`` if it is not installed."""

    name: str
    distribution: str
    version: str | None
    mode: str
    copies: float | None = None  # its time as a multiple of the copy's
    ours: float | None = None  # ... and of our quantizer's to the same type
    differing: int | None = None  # values that are not ours; no code has a sign of zero
    repeats: int = 0


def steps() -> int:
    """How many rivalries there are."""
    return sum(len(peer.types) for peer in PEERS)


def compare(x: np.ndarray[Any, Any], repeats: int, bar: Bar) -> list[Rivalry]:
    """Every peer to every type it is asked for."""
    return [_compare(x, peer, t, repeats, bar) for peer in PEERS for t in peer.types]


def _compare(x: np.ndarray[Any, Any], peer: Peer, t: Any, repeats: int, bar: Bar) -> Rivalry:
    shown = f"{t.rounding}/{t.overflow}" if isinstance(t, ApFixed) else str(t)
    bar.begin(f"{peer.name} {shown}")
    try:
        subject = peer.prepare(x, t)
    except ImportError:
        bar.done()
        return Rivalry(peer.name, peer.distribution, None, shown)
    first, result = stopwatch(subject.call)
    differing = int(np.count_nonzero(subject.values(result) != harness.quantize(x, t)))
    del result
    times = affordable(first, BUDGET, repeats)
    # One after the other, each beside the copy: taking turns, the one's temporaries make the
    # allocator give up the memory that the other would have used again, which costs some copies.
    copy = copy_call(x)
    ours, theirs = (
        median_ratio(interleave((copy, call), rounds, bar.beat), 1, 0)
        for call, rounds in ((quantize_call(x, t), repeats), (subject.call, times))
    )
    bar.done()
    return Rivalry(
        name=peer.name,
        distribution=peer.distribution,
        version=version(peer.distribution),
        mode=shown,
        copies=theirs,
        ours=theirs / ours,
        differing=differing,
        repeats=times,
    )
