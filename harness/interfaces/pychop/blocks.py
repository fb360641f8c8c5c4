"""Blocks of values that share a scale: OCP's microscaling formats (MX) and block floating point.

Blocks run through the flattened values, the last one filled up with zeros.  Of a block whose
largest magnitude is a, the scale is 2**s, and every element is rounded once, to nearest even, and
saturates:

- MX, by the OCP specification 1.0: s = floor(log2 a) - emax, where emax is the exponent of the
  element type's largest value; elements are values of that type times 2**s.
- BFP: s is the smallest with a <= (1 - 2**(1 - p)) 2**s; elements are p-bit fixed-point numbers in
  [-1, 1) times 2**s.

Both s are clipped to what a scale of so many exponent bits holds.  Without a nonzero value s is the
lowest.  Infinities and NaN are refused: the specification leaves them open.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.quantize import quantize
from harness.types import ApFixed, IeeeFloat, NumberType, is_tensor

__all__ = [
    "BFP_FORMATS",
    "MX_FORMATS",
    "BFPSpec",
    "BFPTensor",
    "MXSpec",
    "MXTensor",
    "bfp_quantize",
    "create_bfp_spec",
    "create_mx_spec",
    "mx_quantize",
    "scale_range",
]

Array = np.ndarray[Any, Any]


def scale_range(exponent_bits: int) -> tuple[int, int]:
    """The lowest and highest exponent of a scale of so many bits, whose top code is NaN."""
    bias = (1 << (exponent_bits - 1)) - 1
    return -bias, (1 << exponent_bits) - 2 - bias


class _Spec:
    """What both kinds of blocks have."""

    block_size: int

    @property
    def total_bits_per_block(self) -> int:
        """Bits of a block: its elements and its scale."""
        raise NotImplementedError

    @property
    def compression_vs_fp32(self) -> float:
        """How many times smaller a block is than in 32 bits each."""
        return 32 * self.block_size / self.total_bits_per_block

    @property
    def compression_vs_fp16(self) -> float:
        """... than in 16 bits each."""
        return 16 * self.block_size / self.total_bits_per_block


@dataclass(frozen=True)
class MXSpec(_Spec):
    """Elements of ``exp_bits`` and ``sig_bits``, a scale for each ``block_size`` of them.

    Without exponent bits the elements are two's complement, with two bits before the point.

    Raises:
        ValueError: for a scale with significand bits, or a block or a scale that does not exist.
    """

    name: str
    exp_bits: int
    sig_bits: int
    block_size: int = 32
    scale_exp_bits: int = 8
    scale_sig_bits: int = 0

    def __post_init__(self) -> None:
        if self.scale_sig_bits:
            raise ValueError("scales are powers of two; scale_sig_bits must be 0")
        _check_block(self.block_size, self.scale_exp_bits)

    @property
    def element(self) -> NumberType:
        """The type of an element: by OCP for its five floats, else with every code a number."""
        if not self.exp_bits:
            return ApFixed(self.element_bits, 2, True, "RND_CONV", "SAT")
        specials = {(5, 2): "ieee", (4, 3): "fn"}.get((self.exp_bits, self.sig_bits), "none")
        own = self.name.upper() == f"MXFP8_E{self.exp_bits}M{self.sig_bits}"
        return IeeeFloat(
            self.exp_bits,
            self.sig_bits,
            overflow="saturate",
            specials=specials if own else "none",
        )

    @property
    def element_bits(self) -> int:
        """Bits of an element."""
        return 1 + self.exp_bits + self.sig_bits

    @property
    def total_bits_per_block(self) -> int:
        """Bits of a block: its elements and its scale."""
        return self.element_bits * self.block_size + self.scale_exp_bits


@dataclass(frozen=True)
class BFPSpec(_Spec):
    """Elements of ``mantissa_bits``, the sign included, and an exponent for each ``block_size``.

    Raises:
        ValueError: for fewer than 2 mantissa bits, or a block or an exponent that does not exist.
    """

    name: str
    mantissa_bits: int
    block_size: int
    exponent_bits: int = 8

    def __post_init__(self) -> None:
        if not 2 <= self.mantissa_bits <= 53:
            raise ValueError(f"mantissa_bits must be 2 to 53, not {self.mantissa_bits}")
        _check_block(self.block_size, self.exponent_bits)

    @property
    def element(self) -> ApFixed:
        """The type of an element: in [-1, 1)."""
        return ApFixed(self.mantissa_bits, 1, True, "RND_CONV", "SAT")

    @property
    def total_bits_per_block(self) -> int:
        """Bits of a block: its elements and its exponent."""
        return self.mantissa_bits * self.block_size + self.exponent_bits


def _check_block(size: int, bits: int) -> None:
    if size < 1:
        raise ValueError(f"block_size must be 1 or more, not {size}")
    if not 2 <= bits <= 8:
        raise ValueError(f"a scale has 2 to 8 exponent bits, not {bits}")


MX_FORMATS = {
    name: MXSpec(name.upper(), exp_bits, sig_bits)
    for name, (exp_bits, sig_bits) in {
        "mxfp8_e5m2": (5, 2),
        "mxfp8_e4m3": (4, 3),
        "mxfp6_e3m2": (3, 2),
        "mxfp6_e2m3": (2, 3),
        "mxfp4_e2m1": (2, 1),
        "mxint8": (0, 7),
    }.items()
}

BFP_FORMATS = {
    name: BFPSpec(name, mantissa_bits, block_size, exponent_bits)
    for name, (mantissa_bits, block_size, exponent_bits) in {
        "bfp16": (16, 16, 8),
        "bfp12": (12, 16, 8),
        "bfp8": (8, 32, 8),
        "bfp6": (6, 32, 8),
        "bfp4": (4, 32, 8),
        "bfp3": (3, 64, 8),
        "bfp2": (2, 128, 8),
        "flexpoint16": (16, 16, 5),
        "flexpoint8": (8, 32, 5),
    }.items()
}


def create_mx_spec(
    exp_bits: int,
    sig_bits: int,
    block_size: int = 32,
    scale_exp_bits: int = 8,
    name: str | None = None,
) -> MXSpec:
    """A format of one's own; every code of its elements is a number."""
    name = name or f"CUSTOM_MX{1 + exp_bits + sig_bits}_E{exp_bits}M{sig_bits}"
    return MXSpec(name, exp_bits, sig_bits, block_size, scale_exp_bits)


def create_bfp_spec(
    mantissa_bits: int, block_size: int, exponent_bits: int = 8, name: str | None = None
) -> BFPSpec:
    """A format of one's own."""
    return BFPSpec(name or f"custom_bfp{mantissa_bits}", mantissa_bits, block_size, exponent_bits)


@dataclass(frozen=True)
class _Block:
    """One block: its elements before scaling, float64, and the exponent of its scale.

    Attributes:
        elements: ``quantized_elements`` of MX and ``mantissas`` of BFP are they.
        shared_exponent: s.
    """

    elements: Array
    shared_exponent: int

    @property
    def quantized_elements(self) -> Array:
        """The elements, by MX's name."""
        return self.elements

    @property
    def mantissas(self) -> Array:
        """The elements, by BFP's name."""
        return self.elements

    @property
    def shared_scale(self) -> float:
        """2**s."""
        return 2.0**self.shared_exponent


class _Blocks:
    """Values in blocks; ``blocks`` has them one by one.

    Raises:
        TypeError: for a dtype that is no float.
        ValueError: for values that are not finite, or that the dtype does not hold in this format.
    """

    def __init__(self, data: Any, spec: Any) -> None:
        self.spec = spec
        self._like = data if is_tensor(data) else np.asarray(data)
        values = _values_of(self._like)
        if not np.isfinite(values).all():
            raise ValueError(
                "a block of infinities or NaN has no scale; only finite values are taken"
            )
        self.original_shape = tuple(self._like.shape)
        count = -(-values.size // spec.block_size)
        rows = np.zeros((count, spec.block_size))
        rows.ravel()[: values.size] = values.ravel()
        self._exponents = _exponents(np.abs(rows).max(axis=1, initial=0.0), spec)
        # Dividing by a power of two is exact, but for what is far below half of the last place.
        self._elements = quantize(np.ldexp(rows, -self._exponents[:, None]), spec.element)

    @property
    def blocks(self) -> list[_Block]:
        """Each block."""
        pairs = zip(self._elements, self._exponents, strict=True)
        return [_Block(elements, int(s)) for elements, s in pairs]

    def dequantize(self) -> Any:
        """The values, in shape, dtype and device of the data.

        Raises:
            ValueError: if the dtype does not hold one.
        """
        scaled = np.ldexp(self._elements, self._exponents[:, None])
        size = int(np.prod(self.original_shape))
        values = scaled.ravel()[:size].reshape(self.original_shape)
        if not is_tensor(self._like):
            found = values.astype(self._like.dtype)
        else:
            found = sys.modules["torch"].from_numpy(values).to(self._like.device, self._like.dtype)
        if not np.array_equal(_values_of(found), values):
            raise ValueError(f"{self._like.dtype} does not hold every value in {self.spec.name}")
        return found

    def statistics(self) -> dict[str, Any]:
        """Counts, sizes in bits, and how many times smaller that is than 32 and 16 bits each."""
        size, blocks = int(np.prod(self.original_shape)), len(self._exponents)
        bits = blocks * self.spec.total_bits_per_block
        return {
            "format": self.spec.name,
            **{k: v for k, v in vars(self.spec).items() if k != "name"},
            "original_shape": self.original_shape,
            "num_blocks": blocks,
            "total_elements": size,
            "compression_ratio_fp32": 32 * size / bits,
            "compression_ratio_fp16": 16 * size / bits,
            "bits_per_element": bits / size,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec.name}, shape={self.original_shape})"


def _values_of(x: Any) -> Array:
    """``x`` as float64."""
    if is_tensor(x):
        if not x.is_floating_point():
            raise TypeError(f"floats are quantized, not {x.dtype}")
        values: Array = x.detach().double().cpu().numpy()
        return values
    if x.dtype.kind != "f" or x.dtype.itemsize > 8:
        raise TypeError(f"arrays of floats are quantized, not {x.dtype}")
    return np.asarray(x, dtype=np.float64)


def _exponents(largest: Array, spec: Any) -> Array:
    """The exponent s of each block's scale, from its largest magnitude; exact, by ``frexp``."""
    fraction, exponent = np.frexp(largest)
    element = spec.element
    if isinstance(spec, MXSpec):
        top = element.emax if isinstance(element, IeeeFloat) else 0
        found = exponent - 1 - top
        low, high = scale_range(spec.scale_exp_bits)
    else:
        found = exponent + (fraction > float(element.max_exact))
        low, high = scale_range(spec.exponent_bits)
    return np.where(largest == 0, low, found.clip(low, high))


class MXTensor(_Blocks):
    """Values in a microscaling format; ``MXTensor_`` is it.

    Args:
        data: an array or a tensor.
        format: a name of ``MX_FORMATS``, ``(exp_bits, sig_bits)`` or an ``MXSpec``.
        block_size: of a name or bits; an ``MXSpec`` has its own.
        scale_exp_bits: instead of the format's.
        scale_sig_bits: 0; other scales are refused.
    """

    def __init__(
        self,
        data: Any,
        format: Any = "mxfp8_e4m3",  # noqa: A002 - as pychop calls it
        block_size: int = 32,
        scale_exp_bits: int | None = None,
        scale_sig_bits: int | None = None,
    ) -> None:
        spec = _spec_of(format, MX_FORMATS, MXSpec, lambda e, s: create_mx_spec(e, s, block_size))
        if not isinstance(format, MXSpec):
            spec = replace(spec, block_size=block_size)
        bits = spec.scale_exp_bits if scale_exp_bits is None else scale_exp_bits
        spec = replace(spec, scale_exp_bits=bits, scale_sig_bits=scale_sig_bits or 0)
        super().__init__(data, spec)


class BFPTensor(_Blocks):
    """Values in block floating point; ``BFPTensor_`` is it.

    ``format`` is a name of ``BFP_FORMATS``, ``(mantissa_bits, block_size)`` or a ``BFPSpec``.
    """

    def __init__(self, data: Any, format: Any = "bfp8") -> None:  # noqa: A002 - likewise
        super().__init__(data, _spec_of(format, BFP_FORMATS, BFPSpec, create_bfp_spec))


def _spec_of(told: Any, known: dict[str, Any], kind: type, make: Any) -> Any:
    if isinstance(told, kind):
        return told
    if isinstance(told, tuple):
        return make(*told)
    name = told.lower() if isinstance(told, str) else None
    if name not in known:
        raise ValueError(
            f"unknown format {told!r}; allowed: {', '.join(known)}, a tuple, a {kind.__name__}"
        )
    return known[name]


def mx_quantize(
    data: Any,
    format: Any = "mxfp8_e4m3",  # noqa: A002 - likewise
    block_size: int = 32,
    scale_exp_bits: int | None = None,
    scale_sig_bits: int | None = None,
) -> Any:
    """The values of ``data`` in a microscaling format; arguments as ``MXTensor``."""
    return MXTensor(data, format, block_size, scale_exp_bits, scale_sig_bits).dequantize()


def bfp_quantize(data: Any, format: Any = "bfp8") -> Any:  # noqa: A002 - likewise
    """The values of ``data`` in block floating point; arguments as ``BFPTensor``."""
    return BFPTensor(data, format).dequantize()
