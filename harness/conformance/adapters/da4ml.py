"""da4ml: ``FixedVariableArray.quantize``, traced, and the trace run by its interpreter."""

from __future__ import annotations

from typing import Any

from da4ml.trace import FixedVariableArrayInput, comb_trace

from harness.conformance.adapters.traced import FIRST, answer

__all__ = ["quantize"]


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``."""
    return answer(x, t, FixedVariableArrayInput((1,)), comb_trace, FIRST)
