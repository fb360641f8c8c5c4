"""What can be measured in a fresh process only; run as ``python -m harness.bench.probe NAME``.

Prints one line of JSON.  Numba and cppyy, which are slow to load, are loaded where that is timed.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from harness import quantize, quantize_codes
from harness.oracle import Oracle
from harness.oracle.kernels import Kernel, from_number
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["cached", "compiled", "first_call"]

#: Kernels compiled and loaded: two groups, one for each of two compilers at once.
KERNELS = 64
JOBS = 2
#: How many of their types are asked, and how many doubles each, how often.
ASKED = 12
DOUBLES = 1_000_000
ROUNDS = 5


def first_call() -> dict[str, Any]:
    """Seconds to import Numba, and then of the first ``quantize`` in this process."""
    x, t = np.zeros(1000, np.float32), ApFixed(16, 6)
    start = time.perf_counter()
    import_module("numba")
    imported = time.perf_counter()
    quantize(x, t)
    return {"import_numba_s": imported - start, "first_call_s": time.perf_counter() - imported}


def _types() -> list[ApFixed]:
    """Distinct types in every mode, signed and unsigned, of 8 to 24 bits."""
    types = []
    for k in range(KERNELS):
        overflow = list(Overflow)[k % 5]
        signed = k % 3 > 0 or overflow is Overflow.WRAP_SM
        types.append(ApFixed(8 + k % 17, 2 + k % 6, signed, list(Rounding)[k % 7], overflow))
    return types


def _kernels() -> list[Kernel]:
    return [from_number("double", t) for t in _types()]


def compiled() -> dict[str, Any]:
    """Compile the kernels into an empty cache, and ask some of them on one core.

    Rates are in million doubles a second: of the C++ alone, and of the whole check, which is the
    C++, our codes and their comparison.
    """
    oracle = Oracle()
    start = time.perf_counter()
    for _ in oracle.compile(_kernels(), jobs=JOBS):
        pass
    seconds = time.perf_counter() - start
    x = np.random.default_rng(0).standard_normal(DOUBLES) * 16
    figures = [_rates(oracle, x, t) for t in _types()[:: KERNELS // ASKED][:ASKED]]
    return {
        "compiler": oracle.compiler,
        "kernels": KERNELS,
        "jobs": JOBS,
        "compile_s_per_type": seconds / KERNELS,
        "types_asked": len(figures),
        "differing": sum(differing for _, _, differing in figures),
        "cpp_mchecks_per_s": [cpp for cpp, _, _ in figures],
        "mchecks_per_s": [whole for _, whole, _ in figures],
    }


def _rates(oracle: Oracle, x: np.ndarray[Any, Any], t: ApFixed) -> tuple[float, float, int]:
    """Million doubles a second: C++ alone, whole check; and how many codes differ."""
    oracle.codes(x[:1], t)  # loads the kernel
    quantize_codes(x[:1], t)
    laps = np.empty((ROUNDS, 3))
    for lap in laps:
        lap[0] = time.perf_counter()
        expected = oracle.codes(x, t)
        lap[1] = time.perf_counter()
        differing = int(np.count_nonzero(quantize_codes(x, t) != expected))
        lap[2] = time.perf_counter()
    cpp, whole = np.median(laps[:, 1:] - laps[:, :1], axis=0)
    return x.size / 1e6 / float(cpp), x.size / 1e6 / float(whole), differing


def cached() -> dict[str, Any]:
    """Load every kernel from a full cache, and call each once; milliseconds.

    The import of cppyy is reported apart: it is paid once, whether anything is cached or not.
    """
    kernels, x = _kernels(), np.zeros(1)
    start = time.perf_counter()
    import_module("cppyy")
    imported = time.perf_counter()
    oracle = Oracle()
    groups = [len(group) for group in oracle.compile(kernels, jobs=JOBS)]
    laps = [time.perf_counter()]
    for kernel in kernels:
        oracle.codes(x, kernel.result)
        laps.append(time.perf_counter())
    calls = np.diff(laps) * 1e3
    return {
        "import_cppyy_ms": (imported - start) * 1e3,
        "open_ms": (laps[0] - imported) * 1e3,
        "first_type_ms": float(calls[0]),
        "next_type_ms": float(np.median(calls[1:])),
        "ms_per_type": (laps[-1] - imported) * 1e3 / KERNELS,
        "compiled_again": sum(groups[1:]),
    }


def main() -> None:
    """Run the probe that the command line names."""
    probes = {probe.__name__: probe for probe in (first_call, compiled, cached)}
    sys.stdout.write(json.dumps(probes[sys.argv[1]]()) + "\n")


if __name__ == "__main__":
    main()
