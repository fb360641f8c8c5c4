"""Our own quantizers, as a control: ``quantize_codes``, and ``cast_codes`` between types."""

from __future__ import annotations

from typing import Any

from harness.conformance.subject import need
from harness.fixed import Fixed
from harness.quantize import cast_codes, quantize_codes
from harness.types import Binary

__all__ = ["quantize"]


def quantize(x: Any, t: Any) -> Any:
    """Codes of ``x``."""
    if isinstance(x, Fixed):
        return cast_codes(x.codes, x.type, t)
    need(not isinstance(t, Binary), "signs are those of codes")
    return quantize_codes(x, t)
