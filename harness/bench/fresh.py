"""Measure in fresh processes: what a first call costs, and what the oracle's cache saves."""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

from harness import children
from harness.report.timing import Screen

__all__ = ["first_calls", "oracle_figures"]


def first_calls(screen: Screen) -> dict[str, Any]:
    """The first ``quantize`` of a process, over an empty Numba cache and over a warm one."""
    with tempfile.TemporaryDirectory(prefix="hls-harness-bench-") as folder:
        environment = {"NUMBA_CACHE_DIR": folder}
        with screen.waiting("first call in a fresh process, Numba compiles"):
            cold = _probe("first_call", environment)
        with screen.waiting("first call in a fresh process, Numba's cache is warm"):
            warm = _probe("first_call", environment)
    return {"empty_cache": cold, "warm_cache": warm}


def oracle_figures(screen: Screen) -> dict[str, Any]:
    """What the C++ costs: compiled, asked, and loaded again; ``error`` says why there is none."""
    with tempfile.TemporaryDirectory(prefix="hls-harness-bench-") as folder:
        environment = {"HARNESS_CACHE_DIR": folder}
        with screen.waiting("the oracle compiles 64 types and is asked"):
            compiled = _probe("compiled", environment)
        if "error" in compiled:
            return compiled
        with screen.waiting("the oracle loads 64 types from its cache"):
            cached = _probe("cached", environment)
    if "error" in cached:
        return {**compiled, "cached_error": cached["error"]}
    return {**compiled, **cached}


def _probe(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """What a probe prints; ``error`` instead, if it failed."""
    command = [sys.executable, "-m", "harness.bench.probe", name]
    with tempfile.TemporaryDirectory(prefix="hls-harness-bench-") as scratch:
        done = children.run(command, scratch, environment=environment)
    if done.returncode != 0 or not done.stdout.strip():
        reason = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        return {"error": reason}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
