"""Other libraries that quantize, each behind one record; none of them need be installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from harness.bench.grid import TYPE
from harness.types import FORMATS, ApFixed, IeeeFloat, MiniFloat, Overflow, Rounding

__all__ = ["PEERS", "Peer", "Subject"]

Array = np.ndarray[Any, Any]

CONV_SAT = TYPE.with_modes(rounding=Rounding.RND_CONV, overflow=Overflow.SAT)
TRN_WRAP = TYPE.with_modes(rounding=Rounding.TRN, overflow=Overflow.WRAP)
RND_WRAP_SM = TYPE.with_modes(rounding=Rounding.RND, overflow=Overflow.WRAP_SM)
MINIFLOAT = MiniFloat(3, 4, 0)
E4M3FN, E4M3 = FORMATS["float8_e4m3fn"], FORMATS["float8_e4m3"]
#: Apytypes quantizes fixed point only.  This format holds the inputs exactly, but for those below
#: 2**-27, and is of one 64-bit word.
APY_SOURCE = {"int_bits": 10, "frac_bits": 50}
FXP_ROUNDING = {Rounding.RND_CONV: "around", Rounding.TRN: "floor"}
FXP_OVERFLOW = {Overflow.SAT: "saturate", Overflow.WRAP: "wrap"}


@dataclass(frozen=True)
class Subject:
    """A quantization that is ready to run: what is timed, and how to read its result."""

    call: Callable[[], Any]
    values: Callable[[Any], Array] = np.asarray


@dataclass(frozen=True)
class Peer:
    """Another library's way to quantize."""

    name: str  # what the table calls it
    distribution: str  # whose version is reported
    types: tuple[Any, ...]  # those compared
    prepare: Callable[[Array, Any], Subject]  # ImportError if the library is not there


def _calad0i(x: Array, t: ApFixed) -> Subject:
    module = import_module("harness.conformance.adapters.calad0i")
    function = module.FIXED.get_fixed_quantizer_np(t.rounding.name, t.overflow.name)
    # With Python integers it would compute in float64, up to four times slower.
    k, i, f = (np.float32(bits) for bits in t.kif)
    return Subject(lambda: function(x, k, i, f))


def _calad0i_float(x: Array, t: MiniFloat) -> Subject:
    module = import_module("harness.conformance.adapters.calad0i")
    function = module.FLOATS.float_quantize_np
    m, e, e0 = (np.float32(bits) for bits in (t.m, t.e, t.e0))
    return Subject(lambda: function(x, m, e, e0))


def _apytypes_float(x: Array, t: IeeeFloat) -> Subject:
    array = import_module("apytypes").APyFloatArray
    source = array.from_float(x, exp_bits=8, man_bits=23)
    bits = {"exp_bits": t.exp_bits, "man_bits": t.sig_bits}
    return Subject(lambda: source.cast(**bits), lambda result: np.asarray(result.to_numpy()))


def _ml_dtypes(x: Array, t: IeeeFloat) -> Subject:  # noqa: ARG001  # there is one type
    dtype = import_module("ml_dtypes").float8_e4m3fn
    return Subject(lambda: x.astype(dtype), lambda result: result.astype(np.float32))


def _ml_dtypes_back(x: Array, t: IeeeFloat) -> Subject:  # noqa: ARG001
    dtype = import_module("ml_dtypes").float8_e4m3fn
    return Subject(lambda: x.astype(dtype).astype(np.float32))


def _torch_float8(x: Array, t: IeeeFloat) -> Subject:  # noqa: ARG001
    torch = import_module("torch")
    tensor = torch.from_numpy(x)
    return Subject(lambda: tensor.to(torch.float8_e4m3fn).to(torch.float32))


def _apytypes_cast(t: ApFixed) -> Callable[[Any], Any]:
    apytypes = import_module("apytypes")
    modes = {
        "quantization": getattr(apytypes.QuantizationMode, t.rounding.name),
        "overflow": getattr(apytypes.OverflowMode, t.overflow.name),
    }
    return lambda source: source.cast(int_bits=t.integer, frac_bits=t.frac, **modes)


def _apytypes(x: Array, t: ApFixed) -> Subject:
    cast, array = _apytypes_cast(t), import_module("apytypes").APyFixedArray
    return Subject(lambda: cast(array.from_float(x, **APY_SOURCE)).to_numpy())


def _apytypes_alone(x: Array, t: ApFixed) -> Subject:
    cast = _apytypes_cast(t)
    source = import_module("apytypes").APyFixedArray.from_float(x, **APY_SOURCE)
    return Subject(lambda: cast(source), lambda result: np.asarray(result.to_numpy()))


def _fxpmath(x: Array, t: ApFixed) -> Subject:
    fxp = import_module("fxpmath").Fxp
    modes = {"rounding": FXP_ROUNDING[t.rounding], "overflow": FXP_OVERFLOW[t.overflow]}
    return Subject(
        lambda: fxp(x, t.signed, t.width, t.frac, **modes),
        lambda result: np.asarray(result.get_val()),
    )


def _fake_quantize(x: Array, t: ApFixed) -> Subject:
    torch = import_module("torch")
    tensor, lsb = torch.from_numpy(x), float(t.lsb_exact)
    low, high = t.min_code, t.max_code
    return Subject(lambda: torch.fake_quantize_per_tensor_affine(tensor, lsb, 0, low, high))


def _four_ops(x: Array, t: ApFixed) -> Subject:
    torch = import_module("torch")
    tensor, lsb, scale = torch.from_numpy(x), float(t.lsb_exact), 2.0**t.frac
    low, high = t.min_code, t.max_code
    return Subject(lambda: (tensor * scale).round().clamp(low, high) * lsb)


PEERS = (
    Peer("torch, 4 naive operations", "torch", (CONV_SAT,), _four_ops),
    Peer("torch fake_quantize", "torch", (CONV_SAT,), _fake_quantize),
    Peer("calad0i quantizers, NumPy", "quantizers", (CONV_SAT, TRN_WRAP, RND_WRAP_SM), _calad0i),
    Peer("apytypes, cast alone", "apytypes", (CONV_SAT, TRN_WRAP), _apytypes_alone),
    Peer("apytypes, floats to floats", "apytypes", (CONV_SAT, TRN_WRAP), _apytypes),
    Peer("fxpmath Fxp()", "fxpmath", (CONV_SAT, TRN_WRAP), _fxpmath),
    Peer("calad0i float_quantize, NumPy", "quantizers", (MINIFLOAT,), _calad0i_float),
    Peer("ml_dtypes, astype", "ml_dtypes", (E4M3FN,), _ml_dtypes),
    Peer("ml_dtypes, astype and back", "ml_dtypes", (E4M3FN,), _ml_dtypes_back),
    Peer("torch, to float8 and back", "torch", (E4M3FN,), _torch_float8),
    Peer("apytypes, cast alone", "apytypes", (E4M3,), _apytypes_float),
)
