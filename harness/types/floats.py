"""Binary floating-point types: the open minifloat, the IEEE family, and AMD's ``ap_float``.

A value is ``(-1)**sign * significand * 2**(exponent - frac_bits)``.  A type stores few facts; what
the algorithms need is derived from them under the same names for all three families, so that one
reference and one quantizer serve them.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from harness.types import spelling
from harness.types.ends import FloatEnds
from harness.types.fixed import ApFixed, as_int
from harness.types.modes import FloatOverflow, FloatRounding
from harness.types.texts import brief

__all__ = ["BinaryFloat", "IeeeFloat", "MiniFloat", "VitisFloat"]

#: Twice the exponents of a double, and room to spare; beyond, no double could tell types apart.
MAX_E0 = 2**16


class BinaryFloat(FloatEnds, ABC):
    """What the three families have in common: everything an algorithm needs to know."""

    exp_bits: int
    frac_bits: int
    rounding: FloatRounding
    subnormals: bool
    overflow: FloatOverflow
    specials: str
    #: Codes with this pattern exclusive-ored have a biased exponent field.
    flip: int = 0

    @property
    @abstractmethod
    def bias(self) -> int:
        """What the biased exponent field exceeds the exponent by."""

    @property
    @abstractmethod
    def cpp(self) -> str:
        """The spelling in C++, or the nearest there is."""

    @property
    def width(self) -> int:
        """Bits of a code: sign, exponent, mantissa."""
        return 1 + self.exp_bits + self.frac_bits

    @property
    def precision(self) -> int:
        """Bits of significand, the hidden one included."""
        return self.frac_bits + 1

    significand_bits = precision

    @property
    def emin(self) -> int:
        """Exponent of the smallest normal magnitude, 2**emin."""
        return 1 - self.bias

    @property
    def emax(self) -> int:
        """Exponent of the largest magnitude."""
        return (1 << self.exp_bits) - 1 - (self.specials == "ieee") - self.bias

    @property
    def max_significand(self) -> int:
        """The significand of the largest magnitude, in units of ``2**(emax - frac_bits)``."""
        return (1 << self.precision) - 1 - (self.specials == "fn")

    @property
    def max_magnitude(self) -> int:
        """The largest finite magnitude's code, its exponent field biased."""
        return ((self.emax - self.emin) << self.frac_bits) + self.max_significand

    @property
    def max_exact(self) -> Fraction:
        """The largest finite value, exactly."""
        return self.max_significand * Fraction(2) ** (self.emax - self.frac_bits)

    @property
    def min_exact(self) -> Fraction:
        """The lowest finite value, exactly."""
        return -self.max_exact

    @property
    def smallest_exact(self) -> Fraction:
        """The smallest positive value, exactly."""
        return Fraction(2) ** (self.emin - self.frac_bits * self.subnormals)

    @property
    def min_code(self) -> int:
        """The lowest code: all bits zero."""
        return 0

    @property
    def max_code(self) -> int:
        """The highest code: all bits one."""
        return (1 << self.width) - 1

    @property
    def codes(self) -> range:
        """Every code."""
        return range(1 << self.width)

    @property
    def signed(self) -> bool:
        """Codes are words without a sign of their own."""
        return False

    @property
    def has_inf(self) -> bool:
        """Whether there are infinities."""
        return self.specials == "ieee"

    @property
    def nan_code(self) -> int | None:
        """The code of the quiet NaN that conversions give; ``None`` if there is no NaN."""
        field = ((1 << self.exp_bits) - 1) << self.frac_bits
        if self.specials == "ieee":
            return field | 1 << (self.frac_bits - 1)
        if self.specials == "fn":
            return field | ((1 << self.frac_bits) - 1)
        return 1 << (self.width - 1) if self.specials == "fnuz" else None

    @property
    def negative_zero(self) -> bool:
        """Whether a negative value that rounds to zero keeps its sign."""
        return self.specials != "fnuz"

    def __str__(self) -> str:
        return self.cpp

    def __format__(self, spec: str) -> str:
        return format(self.cpp, spec)


@functools.total_ordering
@dataclass(frozen=True, repr=False)
class MiniFloat(BinaryFloat):
    """``ap_float<M,E,E0>`` of the open header: subnormals, neither infinities nor NaN, saturating.

    Exponents run from ``-2**(E-1) + E0``, which marks the subnormals, to ``2**(E-1) - 1 + E0``.
    Rounding is to nearest even.  A code is sign | exponent | mantissa, the exponent in two's
    complement and without E0, as the header's fields hold them.

    Args:
        m: mantissa bits M without the hidden one, 0 to 52 (the vendor's header needs one).
        e: exponent bits E, 1 to 11.
        e0: what every exponent is moved by.

    Raises:
        ValueError: for anything else.
    """

    m: int
    e: int = None  # type: ignore[assignment]  # so that MiniFloat("...") reaches the check
    e0: int = 0

    subnormals = True
    rounding = FloatRounding.NEAREST_EVEN
    overflow = FloatOverflow.SATURATE
    specials = "none"

    def __post_init__(self) -> None:
        for name in ("m", "e", "e0"):
            object.__setattr__(self, name, as_int(name, getattr(self, name)))
        _within("mantissa bits m", self.m, 0, 52)
        _within("exponent bits e", self.e, 1, 11)
        _within("e0", self.e0, -MAX_E0, MAX_E0)

    @property
    def exp_bits(self) -> int:  # type: ignore[override]  # E, under the name that floats share
        """Exponent bits E."""
        return self.e

    @property
    def frac_bits(self) -> int:  # type: ignore[override]  # M, likewise
        """Mantissa bits M."""
        return self.m

    @property
    def bias(self) -> int:
        """What the biased exponent field exceeds the exponent by."""
        return (1 << (self.e - 1)) - self.e0

    @property
    def flip(self) -> int:  # type: ignore[override]  # two's complement is biased, top bit inverted
        """The exponent's sign bit."""
        return 1 << (self.e - 1 + self.m)

    @property
    def cpp(self) -> str:
        """``ap_float<3,4,0>``."""
        return f"ap_float<{self.m},{self.e},{self.e0}>"

    @property
    def fixed(self) -> ApFixed:
        """The fixed-point type that holds every value; what the header's ``to_ap_fixed`` returns.

        Raises:
            ValueError: if that is wider than 1024 bits.
        """
        half = 1 << (self.e - 1)
        return ApFixed(self.m + 2 * half + 1, 1 + half + self.e0)

    @classmethod
    def parse(cls, text: str) -> MiniFloat:
        """Read ``ap_float<M,E,E0>`` or ``minifloat<M,E[,E0]>``; ``ValueError`` for other text."""
        return cls(*spelling.parse_minifloat(text))

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, MiniFloat):
            return NotImplemented
        return (self.m, self.e, self.e0) < (other.m, other.e, other.e0)

    def __repr__(self) -> str:
        return f"MiniFloat({self.m}, {self.e}, {self.e0})"


@dataclass(frozen=True, repr=False)
class IeeeFloat(BinaryFloat):
    """An IEEE-style format of any size: half, bfloat16, TF32, FP8, FP6, FP4 and what lies between.

    Args:
        exp_bits: exponent bits, 2 to 15.
        sig_bits: significand bits without the hidden one, 1 to 112.
        subnormals: whether there are any; if not, a rounded result below ``2**emin`` becomes zero.
        overflow: ``"inf"`` (NaN in a format without infinities) or ``"saturate"``; by default
            ``"inf"`` where the format can say so.
        specials: what the top codes mean.  ``"ieee"``: the top exponent is infinities and NaN.
            ``"fn"``: all ones is NaN, there are no infinities.  ``"fnuz"``: the code of negative
            zero is NaN, and the bias is one more.  ``"none"``: every code is a number.
        rounding: a :class:`FloatRounding`, its name, its code 1 to 9, or pychop's name for it.

    Raises:
        ValueError: for anything else.
    """

    exp_bits: int
    sig_bits: int
    subnormals: bool = True
    overflow: FloatOverflow = FloatOverflow.INF
    specials: str = "ieee"
    rounding: FloatRounding = FloatRounding.NEAREST_EVEN

    def __init__(
        self,
        exp_bits: int,
        sig_bits: int = None,  # type: ignore[assignment]  # noqa: RUF013  # for IeeeFloat("...")
        subnormals: bool = True,
        overflow: FloatOverflow | str | None = None,
        specials: str = "ieee",
        rounding: FloatRounding | str | int = FloatRounding.NEAREST_EVEN,
    ) -> None:
        # Written out, so that modes may be given by name while stored fields have one type.
        store = functools.partial(object.__setattr__, self)
        store("exp_bits", as_int("exp_bits", exp_bits))
        store("sig_bits", as_int("sig_bits", sig_bits))
        if subnormals not in (True, False):
            raise ValueError(f"subnormals must be True or False, not {subnormals!r}")
        store("subnormals", bool(subnormals))
        if specials not in ("ieee", "fn", "fnuz", "none"):
            raise ValueError(f"unknown specials {specials!r}; allowed: ieee, fn, fnuz, none")
        store("specials", specials)
        store("overflow", _overflow(overflow, specials))
        store("rounding", FloatRounding.parse(rounding))
        _within("exp_bits", self.exp_bits, 2, 15)
        _within("sig_bits", self.sig_bits, 1, 112)

    @property
    def frac_bits(self) -> int:  # type: ignore[override]  # sig_bits, under the name floats share
        """Significand bits without the hidden one."""
        return self.sig_bits

    @property
    def bias(self) -> int:
        """What the exponent field exceeds the exponent by."""
        return (1 << (self.exp_bits - 1)) - (self.specials != "fnuz")

    @property
    def cpp(self) -> str:
        """``ieee<5,10>``, then what departs from the defaults, such as ``ieee<4,3,fn>``."""
        return spelling.format_ieee(self)

    @classmethod
    def parse(cls, text: str) -> IeeeFloat:
        """Read ``ieee<E,S[,...]>``; ``ValueError`` for other text."""
        return cls(**spelling.parse_ieee(text))

    def with_modes(self, **modes: object) -> IeeeFloat:
        """The same codes under another ``rounding``, ``overflow`` or ``subnormals``."""
        facts = {name: getattr(self, name) for name in ("subnormals", "overflow", "rounding")}
        return IeeeFloat(
            self.exp_bits,
            self.sig_bits,
            specials=self.specials,
            **(facts | modes),
        )

    def __repr__(self) -> str:
        default = IeeeFloat(self.exp_bits, self.sig_bits, specials=self.specials)
        parts = [str(self.exp_bits), str(self.sig_bits)]
        if not self.subnormals:
            parts.append("subnormals=False")
        if self.overflow is not default.overflow:
            parts.append(f"overflow={self.overflow.value!r}")
        if self.specials != "ieee":
            parts.append(f"specials={self.specials!r}")
        if self.rounding is not default.rounding:
            parts.append(f"rounding={self.rounding.name!r}")
        return f"IeeeFloat({', '.join(parts)})"


@functools.total_ordering
@dataclass(frozen=True, repr=False)
class VitisFloat(BinaryFloat):
    """AMD's ``ap_float<W,E>`` of Vitis 2024.2 and later, whose header is closed.

    IEEE layout, to nearest even, results below ``2**emin`` become zero, every NaN is quiet.

    Args:
        w: total bits W, at most 80.
        e: exponent bits E, 4 to 16; the significand with its hidden bit, W - E, has 4 to 64.

    Raises:
        ValueError: for anything else.
    """

    w: int
    e: int = None  # type: ignore[assignment]  # likewise

    subnormals = False
    rounding = FloatRounding.NEAREST_EVEN
    overflow = FloatOverflow.INF
    specials = "ieee"

    def __post_init__(self) -> None:
        for name in ("w", "e"):
            object.__setattr__(self, name, as_int(name, getattr(self, name)))
        _within("exponent bits e", self.e, 4, 16)
        _within("significand bits w - e", self.w - self.e, 4, 64)

    @property
    def exp_bits(self) -> int:  # type: ignore[override]  # E, under the name that floats share
        """Exponent bits E."""
        return self.e

    @property
    def frac_bits(self) -> int:  # type: ignore[override]
        """Significand bits without the hidden one."""
        return self.w - self.e - 1

    @property
    def bias(self) -> int:
        """What the exponent field exceeds the exponent by."""
        return (1 << (self.e - 1)) - 1

    @property
    def cpp(self) -> str:
        """``ap_float<32,8>``."""
        return f"ap_float<{self.w},{self.e}>"

    @classmethod
    def parse(cls, text: str) -> VitisFloat:
        """Read ``ap_float<W,E>``; ``ValueError`` for other text."""
        return cls(*spelling.parse_vitis(text))

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, VitisFloat):
            return NotImplemented
        return (self.w, self.e) < (other.w, other.e)

    def __repr__(self) -> str:
        return f"VitisFloat({self.w}, {self.e})"


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low} to {high}, not {brief(value)}")


def _overflow(value: FloatOverflow | str | None, specials: str) -> FloatOverflow:
    if value is None:
        return FloatOverflow.SATURATE if specials == "none" else FloatOverflow.INF
    try:
        chosen = FloatOverflow(value)
    except ValueError:
        raise ValueError(f"unknown overflow {value!r}; allowed: inf, saturate") from None
    if chosen is FloatOverflow.INF and specials == "none":
        raise ValueError("a format without specials has no infinity; allowed: overflow='saturate'")
    return chosen
