"""Assertions for a stranger's pytest suite."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle
from harness.oracle.kernels import OURS
from harness.types import ApFixed, MiniFloat, NumberType, as_array, as_number_type
from harness.verify import Implementation, verify
from harness.verify.compare import told
from harness.verify.run import default_cases

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


def _finite(x: Any) -> Any:
    """The finite ones of an array, in a row if some are not; integers and fractions all are."""
    if x.dtype.kind in "biu":
        return x
    if x.dtype == object:
        kept = np.array([not isinstance(v, float) or math.isfinite(v) for v in x.ravel()], bool)
    else:
        kept = np.isfinite(x).ravel()
    return x if kept.all() else x.ravel()[kept]


def assert_bit_exact(
    fn: Implementation,
    t: NumberType | str,
    x: Any = None,
    *,
    truth: Implementation | None = None,
    seed: int = 0,
    finite: bool = False,
) -> None:
    """Assert that ``fn`` computes what the type ``t`` does.

    Args:
        fn: a quantizer ``fn(x, t)``; it returns values (floats) or codes (integers).
        t: the type, or its spelling.
        x: the inputs; by default the breakpoints and bounds of ``t`` and random values.
        truth: what to compare with; by default the vendor's headers for ``ap_fixed``, our
            ``minifloat.h`` for a minifloat, and the exact reference for other types.
        seed: of the default inputs.
        finite: leave NaN and infinities out, of ``x`` too: for a quantizer that refuses them, or
            that is never given one.  What it makes of them is then not asked, although C++ has an
            answer: it counts them as +-2**1024 in an ``ap_fixed``, and floats may have codes for
            them.  Numbers beyond the range are still asked about.

    Raises:
        AssertionError: says how many inputs differ and where they lie (ties, beyond the range, NaN
            and infinities, ...); the simplest of all, how it lies between the codes beside it, both
            codes and their values; the simplest of each kind; and a C++ program that shows it.
        SubjectError: if ``fn`` raises, or returns another shape or dtype.
    """
    __tracebackhide__ = True
    t = as_number_type(t)
    given = default_cases(seed) if x is None else (lambda _: np.atleast_1d(as_array(x)))
    inputs = (lambda t: _finite(given(t))) if finite else given
    verdict = verify(fn, truth or _truth, [t], inputs)
    for m in verdict.mismatches:
        raise AssertionError("\n".join([*told(m), m.snippet]))
    if verdict.checks == 0:
        raise AssertionError(f"{t}: nothing was compared; give at least one input")
