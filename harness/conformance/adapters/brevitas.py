"""brevitas: ``IntQuant`` by a power of two, and ``FloatQuant`` of small floats."""

from __future__ import annotations

from typing import Any

import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.bit_width.float import ComputeMaxMantissa, StaticExponentBias
from brevitas.core.function_wrapper import (
    CeilSte,
    FloatClamp,
    FloorSte,
    Identity,
    RoundSte,
    RoundToZeroSte,
    TensorClamp,
)
from brevitas.core.quant import IntQuant
from brevitas.core.quant.float import FloatQuant
from brevitas.utils.float_quant_utils import get_max_available_float

from harness.conformance.subject import floats, need
from harness.fixed import Fixed
from harness.types import ApFixed, BinaryFloat, MiniFloat, Overflow

__all__ = ["quantize"]

#: By the names of both of our families of modes.
ROUNDINGS = {
    "RND_CONV": RoundSte,
    "TRN": FloorSte,
    "TRN_ZERO": RoundToZeroSte,
    "NEAREST_EVEN": RoundSte,
    "UP": CeilSte,
    "DOWN": FloorSte,
    "TOWARD_ZERO": RoundToZeroSte,
}
#: Mantissas of infinity and of NaN, as its OCP mixin has them.
SPECIALS = {"float8_e4m3fn": (None, ("111",)), "float8_e5m2": (("00",), ("01", "11", "10"))}
NAMES = {(4, 3, "fn"): "float8_e4m3fn", (5, 2, "ieee"): "float8_e5m2"}


def _fixed(x: Any, t: ApFixed) -> Any:
    need(t.overflow in (Overflow.SAT, Overflow.SAT_SYM), "clamps")
    narrow = t.overflow is Overflow.SAT_SYM
    need(not narrow or t.signed, "a narrow unsigned range lacks its highest code")
    need(not narrow or t.max_code, "a narrow range has more than one bit")
    quant = IntQuant(narrow, t.signed, Identity(), ROUNDINGS[t.rounding.name]())
    scale, zero, width = (torch.tensor(v, dtype=x.dtype) for v in (float(t.lsb_exact), 0, t.width))
    return quant(scale, zero, width, x)


def _float(x: Any, t: BinaryFloat) -> Any:
    need(t.subnormals, "has subnormals")
    saturating = t.overflow == "saturate"
    need(saturating or t.rounding.name == "NEAREST_EVEN", "overflow does not ask for the rounding")
    inf, nan, most = None, None, None
    if t.specials in ("ieee", "fn"):
        name = NAMES.get((t.exp_bits, t.frac_bits, t.specials))
        need(name, "infinities and NaN are those of the OCP formats")
        inf, nan = SPECIALS[str(name)]
        most = get_max_available_float(t.exp_bits, t.frac_bits, t.bias, nan, inf, saturating)
    need(saturating or nan, "without infinities and NaN it saturates")
    quant = FloatQuant(
        True,
        BitWidthConst(t.exp_bits),
        BitWidthConst(t.frac_bits),
        StaticExponentBias(t.bias),
        FloatClamp(TensorClamp(), True, inf, nan, most, saturating),
        Identity(),
        ComputeMaxMantissa(),
        float_to_int_impl=ROUNDINGS[t.rounding.name](),
        dtype=x.dtype,
    )
    return quant(x)[0]


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``, computed in the dtype of ``x``."""
    need(not isinstance(x, Fixed), "takes floats, not codes of another type")
    need(not isinstance(t, MiniFloat) or t.m, "has mantissas of at least one bit")
    need(getattr(t, "rounding", None) is not None, "has no such type")
    need(t.rounding.name in ROUNDINGS, f"has no rounding {t.rounding}")
    tensor = torch.from_numpy(floats(x, t, x.dtype.name))
    return (_fixed if isinstance(t, ApFixed) else _float)(tensor, t).numpy()
