"""The interface that da4ml has and alkaid shares: a traced quantize, run by its interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from harness.conformance.subject import floats, need
from harness.fixed import Fixed
from harness.quantize.plan import FLOATS, float_misfit
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["FIRST", "answer"]

#: Roundings of an input's first conversion.
FIRST = (Rounding.TRN, Rounding.RND)
OVERFLOWS = (Overflow.WRAP, Overflow.SAT, Overflow.SAT_SYM)


def answer(
    x: Any, t: Any, source: Any, trace: Callable[[Any, Any], Any], roundings: Sequence[Rounding]
) -> Any:
    """The values of ``x`` in ``t``: floats as an input's first conversion, codes as a later one.

    Args:
        x: the inputs.
        t: the type.
        source: an input of one number.
        trace: makes logic of an input and what became of it.
        roundings: those offered.

    Raises:
        Unsupported: for what is not offered.
    """
    need(isinstance(t, ApFixed), "has fixed point only")
    need(t.rounding in roundings, f"has no rounding {t.rounding}")
    need(t.overflow in OVERFLOWS and not t.n, "has no SAT_ZERO, no WRAP_SM, and no N")
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed
    need(t.max_code or not symmetric, "a symmetric range has more than one bit")
    modes = {"overflow_mode": t.overflow.name, "round_mode": t.rounding.name}
    k, i, f = t.kif
    if isinstance(x, Fixed):
        for part in (x.type, t):
            holds = float_misfit(part, FLOATS["float64"]) is None
            need(holds, "takes and gives float64, which does not hold the types")
        values = np.asarray(x.values())
        traced = source.quantize(*x.type.kif).quantize(k, i, f, **modes)
    else:
        values = floats(x, t)
        need(t.rounding in FIRST, f"an input's first conversion is no {t.rounding.name}")
        need(t.overflow is Overflow.WRAP, "an input's first conversion wraps")
        traced = source.quantize(k, i, f, **modes)
    logic = trace(source, traced)
    return logic.predict(values.reshape(-1, 1), n_threads=1).reshape(values.shape)
