"""calad0i's quantizers, their NumPy side: ``get_fixed_quantizer_np``, ``float_quantize_np``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from harness.conformance.subject import floats, need
from harness.types import ApFixed, MiniFloat, Overflow

__all__ = ["numpy_module", "quantize"]


def numpy_module(*parts: str) -> Any:
    """One of its NumPy modules: the package imports keras, these need NumPy alone.

    Raises:
        ImportError: if the package is not installed.
    """
    package = importlib.util.find_spec("quantizers")
    if package is None or not package.submodule_search_locations:
        raise ImportError("quantizers")
    path = Path(package.submodule_search_locations[0], *parts)
    spec = importlib.util.spec_from_file_location("_quantizers_np", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError("quantizers")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIXED = numpy_module("fixed_point", "fixed_point_ops_np.py")
FLOATS = numpy_module("minifloat", "float_point_ops_np.py")


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``, in the dtype of ``x``."""
    values = floats(x, t, str(getattr(x, "dtype", "float64")))
    if isinstance(t, MiniFloat):
        bits = (values.dtype.type(b) for b in (t.m, t.e, t.e0))
        return FLOATS.float_quantize_np(values, *bits)
    need(isinstance(t, ApFixed), "has ap_fixed and minifloats")
    need(t.overflow is not Overflow.SAT_ZERO and t.n == 0, "has no SAT_ZERO, and no N")
    function = FIXED.get_fixed_quantizer_np(t.rounding.name, t.overflow.name)
    return function(values, *(values.dtype.type(b) for b in t.kif))
