"""Assertions for a stranger's pytest suite."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle
from harness.oracle.kernels import OURS
from harness.types import ApFixed, MiniFloat, NumberType, as_array, as_number_type
from harness.verify import Implementation, verify

__all__ = ["assert_bit_exact"]


@functools.cache
def _oracle() -> Oracle:
    """One oracle for a test session."""
    return Oracle()


def _truth(x: Any, t: Any) -> Any:
    """The strongest truth that there is for a type."""
    if isinstance(t, ApFixed):
        return _oracle().codes(x, t)
    if isinstance(t, MiniFloat) and t.m > 0:
        return _oracle().codes(x, t, header=OURS)
    found = [reference.from_double(float(v), t) for v in np.ravel(x)]
    if t.width > 64:
        codes = np.empty(len(found), dtype=object)
        codes[:] = found
    else:
        codes = np.array(found, dtype=np.uint64).view(np.int64)
    return codes.reshape(np.shape(x))


def assert_bit_exact(
    fn: Implementation,
    t: NumberType | str,
    x: Any = None,
    *,
    truth: Implementation | None = None,
    seed: int = 0,
) -> None:
    """Assert that ``fn`` computes what the type ``t`` does.

    Args:
        fn: a quantizer ``fn(x, t)``; it returns values (floats) or codes (integers).
        t: the type, or its spelling.
        x: the inputs; by default the breakpoints and bounds of ``t`` and random values.
        truth: what to compare with; by default the vendor's headers for ``ap_fixed``, our
            ``minifloat.h`` for a minifloat, and the exact reference for other types.
        seed: of the default inputs.

    Raises:
        AssertionError: with the simplest input that differs, and a C++ program that shows it.
        SubjectError: if ``fn`` raises, or returns another shape or dtype.
    """
    __tracebackhide__ = True
    t = as_number_type(t)
    inputs = None if x is None else (lambda _: np.atleast_1d(as_array(x)))
    verdict = verify(fn, truth or _truth, [t], inputs, seed=seed)
    for m in verdict.mismatches:
        raise AssertionError(
            f"{t}: {m.input} => got {m.got}, expected {m.expected} "
            f"({m.count} of {verdict.checks} inputs differ)\nrule: {m.rule}\n{m.snippet}"
        )
    if verdict.checks == 0:
        raise AssertionError(f"{t}: nothing was compared; give at least one input")
