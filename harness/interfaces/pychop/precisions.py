"""Which type is meant: pychop's names of precisions, bit counts, and its numbers of roundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.types import FloatRounding, IeeeFloat

__all__ = ["PRECISIONS", "Customs", "custom_type", "float_type", "named_type"]

#: Exponent bits and significand bits without the hidden one, by name.
PRECISIONS = {
    alias: bits
    for names, bits in {
        "q43 fp8-e4m3": (4, 3),
        "q52 fp8-e5m2": (5, 2),
        "b bfloat16 bf16": (8, 7),
        "h half fp16": (5, 10),
        "t tf32": (8, 10),
        "s single fp32": (8, 23),
        "d double fp64": (11, 52),
        "q quadruple fp128": (15, 112),
    }.items()
    for alias in names.split()
}

#: CADNA's random directed rounding goes up or down, both equally likely: that is rounding 6.
_CADNA = (10, "cadna")


@dataclass
class Customs:
    """A format of one's own: ``exp_bits`` and ``sig_bits``, or ``emax`` and ``t``.

    Attributes:
        emax: the largest exponent, ``2**k - 1``.
        t: bits of significand, the hidden one included.
        exp_bits: exponent bits; counts before ``emax``.
        sig_bits: bits of significand without the hidden one; counts before ``t``.
    """

    emax: int | None = None
    t: int | None = None
    exp_bits: int | None = None
    sig_bits: int | None = None


def float_type(
    exp_bits: int, sig_bits: int, rmode: int | str = 1, subnormal: bool = True
) -> IeeeFloat:
    """The type of these bits; ``rmode`` is 1 to 9, 10 for CADNA's, or a name.

    Raises:
        ValueError: for sizes or roundings that do not exist.
    """
    rounding = FloatRounding.STOCHASTIC_EQUAL if rmode in _CADNA else FloatRounding.parse(rmode)
    return IeeeFloat(exp_bits, sig_bits, subnormals=bool(subnormal), rounding=rounding)


def named_type(prec: str, rmode: int | str = 1, subnormal: bool | None = None) -> IeeeFloat:
    """The type of a name; unless told, bfloat16 has no subnormals and all others have.

    Raises:
        ValueError: for another name; the message lists them.
    """
    if prec not in PRECISIONS:
        raise ValueError(f"unknown precision {prec!r}; allowed: {', '.join(PRECISIONS)}")
    bits = PRECISIONS[prec]
    kept = bits != PRECISIONS["b"] if subnormal is None else subnormal
    return float_type(*bits, rmode, kept)


def custom_type(customs: Any, rmode: int | str = 1, subnormal: bool | None = None) -> IeeeFloat:
    """The type that ``Customs`` tell, or anything with their attributes.

    Raises:
        ValueError: if a size is missing, or ``emax`` is no ``2**k - 1``.
    """
    exp_bits, sig_bits = getattr(customs, "exp_bits", None), getattr(customs, "sig_bits", None)
    emax, t = getattr(customs, "emax", None), getattr(customs, "t", None)
    if exp_bits is None and emax is not None:
        if emax < 1 or emax & (emax + 1):
            raise ValueError(
                f"emax must be 2**k - 1, the largest exponent of k + 1 bits, not {emax}"
            )
        exp_bits = emax.bit_length() + 1
    if sig_bits is None and t is not None:
        sig_bits = t - 1
    if exp_bits is None or sig_bits is None:
        raise ValueError("Customs need exp_bits or emax, and sig_bits or t")
    return float_type(exp_bits, sig_bits, rmode, subnormal is None or subnormal)
