"""apytypes: ``APyFixedArray.cast`` and ``APyFloatArray.cast``, from what holds the inputs."""

from __future__ import annotations

from typing import Any

import apytypes
import numpy as np

from harness.conformance.subject import need
from harness.fixed import Fixed
from harness.types import ApFixed, FloatOverflow, FloatRounding, IeeeFloat, Overflow

__all__ = ["quantize"]

FLOAT_ROUNDINGS = {
    FloatRounding.NEAREST_EVEN: apytypes.QuantizationMode.TIES_EVEN,
    FloatRounding.NEAREST_AWAY: apytypes.QuantizationMode.TIES_AWAY,
    FloatRounding.TOWARD_ZERO: apytypes.QuantizationMode.TO_ZERO,
    FloatRounding.UP: apytypes.QuantizationMode.TO_POS,
    FloatRounding.DOWN: apytypes.QuantizationMode.TO_NEG,
    FloatRounding.NEAREST_ZERO: apytypes.QuantizationMode.TIES_ZERO,
}
#: Exponent and mantissa bits of the inputs' dtypes.
SOURCES = {"float32": (8, 23), "float64": (11, 52)}


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``; of a type of another family, nothing."""
    if isinstance(t, IeeeFloat):
        return _float(x, t)
    need(isinstance(t, ApFixed) and t.signed, "has signed fixed point")
    need(t.overflow in (Overflow.SAT, Overflow.WRAP) and t.n == 0, "saturates or wraps, without N")
    need(isinstance(x, Fixed), "makes fixed point of floats by one rounding; asked between types")
    need(x.type.signed, "has signed fixed point")
    source = apytypes.APyFixedArray(
        x.codes.tolist(), int_bits=x.type.integer, frac_bits=x.type.frac
    )
    result = source.cast(
        int_bits=t.integer,
        frac_bits=t.frac,
        quantization=getattr(apytypes.QuantizationMode, t.rounding.name),
        overflow=getattr(apytypes.OverflowMode, t.overflow.name),
    )
    if t.width <= 53:
        return result.to_numpy()
    bits = np.array(result.to_bits(), dtype=np.uint64)  # unsigned, whatever the value
    return (bits << np.uint64(64 - t.width)).view(np.int64) >> (64 - t.width)


def _float(x: Any, t: IeeeFloat) -> Any:
    need(not isinstance(x, Fixed), "makes floats of fixed point by another way")
    need(t.rounding in FLOAT_ROUNDINGS, f"does not round by {t.rounding}")
    need(t.specials == "ieee" and t.subnormals, "has IEEE's infinities, NaN and subnormals")
    need(t.overflow is FloatOverflow.INF, "overflows as IEEE 754 does")
    exponent, mantissa = SOURCES[x.dtype.name]
    source = apytypes.APyFloatArray.from_float(x, exp_bits=exponent, man_bits=mantissa)
    result = source.cast(
        exp_bits=t.exp_bits,
        man_bits=t.sig_bits,
        bias=t.bias,
        quantization=FLOAT_ROUNDINGS[t.rounding],
    )
    return np.asarray(result.to_numpy())
