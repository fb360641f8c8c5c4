"""alkaid: ``FVArray.quantize``, traced, and the trace run by its interpreter."""

from __future__ import annotations

from typing import Any

from alkaid.trace import FVArrayInput, trace

from harness.conformance.adapters.traced import FIRST, answer
from harness.types import Rounding

__all__ = ["quantize"]


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``; only a later conversion rounds by RND_CONV."""
    return answer(x, t, FVArrayInput((1,)), trace, (*FIRST, Rounding.RND_CONV))
