"""What can be measured in a fresh process only; run as ``python -m harness.bench.probe NAME``.

Prints one line of JSON.  Nothing heavy is imported before it is timed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

__all__ = ["cached", "compiled", "first_call"]

#: Kernels compiled and loaded: two groups, one for each of two compilers at once.
KERNELS = 64
JOBS = 2
#: Types of these that are asked a million doubles each.
ASKED = 12
DOUBLES = 1_000_000
ROUNDS = 5


def first_call() -> dict[str, Any]:
    """Seconds of the first ``quantize`` in a process, and of the import of Numba before it."""
    import numpy as np

    from harness import ApFixed, quantize

    x, t = np.zeros(1000, np.float32), ApFixed(16, 6)
    start = time.perf_counter()
    import numba  # noqa: F401

    imported = time.perf_counter()
    quantize(x, t)
    return {"import_numba_s": imported - start, "first_call_s": time.perf_counter() - imported}


def _types() -> list[Any]:
    """Distinct types in every mode, signed and unsigned, of 8 to 24 bits."""
    from harness.types import ApFixed, Overflow, Rounding

    types = []
    for k in range(KERNELS):
        overflow = list(Overflow)[k % 5]
        signed = k % 3 > 0 or overflow is Overflow.WRAP_SM
        types.append(ApFixed(8 + k % 17, 2 + k % 6, signed, list(Rounding)[k % 7], overflow))
    return types


def compiled() -> dict[str, Any]:
    """Compile the kernels into an empty cache, and ask some of them on one core.

    Rates are in million doubles a second: of the C++ alone, and of the whole check, which is the
    C++, our codes and their comparison.
    """
    import numpy as np

    from harness.oracle import Oracle
    from harness.oracle.kernels import from_number

    oracle, types = Oracle(), _types()
    start = time.perf_counter()
    for _ in oracle.compile([from_number("double", t) for t in types], jobs=JOBS):
        pass
    seconds = time.perf_counter() - start
    x = np.random.default_rng(0).standard_normal(DOUBLES) * 16
    figures = [_rates(oracle, x, t) for t in types[:: KERNELS // ASKED][:ASKED]]
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


def _rates(oracle: Any, x: Any, t: Any) -> tuple[float, float, int]:
    import numpy as np

    from harness import quantize_codes

    quantize_codes(x[:1], t), oracle.codes(x[:1], t)  # loads both
    cpp, whole, differing = [], [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        expected = oracle.codes(x, t)
        answered = time.perf_counter()
        differing = int(np.count_nonzero(quantize_codes(x, t) != expected))
        whole.append(time.perf_counter() - start)
        cpp.append(answered - start)
    rate = x.size / 1e6
    return rate / float(np.median(cpp)), rate / float(np.median(whole)), differing


def cached() -> dict[str, Any]:
    """Load every kernel from a full cache, and call each once; milliseconds."""
    import numpy as np

    from harness.oracle import Oracle
    from harness.oracle.kernels import from_number

    types, x = _types(), np.zeros(1)
    start = time.perf_counter()
    import cppyy  # noqa: F401  # reported apart: it is paid once, cached or not

    imported = time.perf_counter()
    oracle = Oracle()
    constructed = time.perf_counter()
    ready = [len(group) for group in oracle.compile([from_number("double", t) for t in types])]
    laps = [time.perf_counter()]
    for t in types:
        oracle.codes(x, t)
        laps.append(time.perf_counter())
    calls = np.diff(laps) * 1e3
    return {
        "import_cppyy_ms": (imported - start) * 1e3,
        "construct_ms": (constructed - imported) * 1e3,
        "first_type_ms": float(calls[0]),
        "next_type_ms": float(np.median(calls[1:])),
        "ms_per_type": (laps[-1] - imported) * 1e3 / KERNELS,
        "compiled_again": sum(ready[1:]),
    }


def main() -> None:
    """Run the probe that the command line names."""
    probes = {probe.__name__: probe for probe in (first_call, compiled, cached)}
    sys.stdout.write(json.dumps(probes[sys.argv[1]]()) + "\n")


if __name__ == "__main__":
    main()
