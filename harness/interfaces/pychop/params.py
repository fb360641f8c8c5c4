"""What a format can hold, by its name: ``float_params``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from harness.interfaces.pychop.blocks import BFP_FORMATS, MX_FORMATS, BFPSpec, MXSpec, scale_range
from harness.interfaces.pychop.precisions import PRECISIONS
from harness.types import IeeeFloat

__all__ = ["float_params"]

_NAMED = ("u", "xmins", "xmin", "xmax", "p", "emins", "emin", "emax")
#: The name that the table has for those that mean the same.
_CANONICAL = ("q43", "q52", "bfloat16", "fp16", "tf32", "fp32", "fp64", "fp128")


def float_params(prec: str | None = None) -> Any:
    """Roundoff, range and precision of a format.

    Args:
        prec: a name of ``PRECISIONS``, ``BFP_FORMATS`` or ``MX_FORMATS``; ``None`` for all.

    Returns:
        Of a scalar format ``(u, xmins, xmin, xmax, p, emins, emin, emax)``: unit roundoff
        ``2**-p``, the smallest positive number, the smallest normal and the largest one, bits of
        significand, and the exponents of these three.  Of a block format a dict with these names,
        over all scales, and ``family``, ``element_bits``, ``block_size`` and ``scale_bits``.  Of
        ``None`` a dict of columns, names under ``""``, which ``pandas.DataFrame`` takes; a number
        that no double is, of fp128, is ``None`` there.

    Raises:
        ValueError: for another name, and for fp128, whose range no double holds.
    """
    if prec is None:
        rows = [_row(name) for name in (*_CANONICAL, *BFP_FORMATS, *MX_FORMATS)]
        columns = dict.fromkeys(key for row in rows for key in row)
        return {key: [row.get(key) for row in rows] for key in columns}
    name = prec.lower()
    if name in PRECISIONS:
        found = _of_type(IeeeFloat(*PRECISIONS[name]))
        if None in found:
            raise ValueError(
                f"no double holds the range of {name}; IeeeFloat(15, 112) has it exactly"
            )
        return found
    return {key: value for key, value in _row(name).items() if key}


def _row(name: str) -> dict[str, Any]:
    if name in PRECISIONS:
        t = IeeeFloat(*PRECISIONS[name])
        aliases = [alias for alias, bits in PRECISIONS.items() if bits == PRECISIONS[name]]
        facts = dict(zip(_NAMED, _of_type(t), strict=True))
        return {"": name, "family": "binary", **facts, "element_bits": t.width, "aliases": aliases}
    found = BFP_FORMATS.get(name) or MX_FORMATS.get(name)
    if found is None:
        allowed = ", ".join((*PRECISIONS, *BFP_FORMATS, *MX_FORMATS))
        raise ValueError(f"unknown format {name!r}; allowed: {allowed}")
    facts = dict(zip(_NAMED, _of_blocks(found), strict=True))
    mx = isinstance(found, MXSpec)
    return {
        "": name,
        "family": "mx" if mx else "bfp",
        **facts,
        "element_bits": found.element.width,
        "aliases": [name],
        "block_size": found.block_size,
        "scale_bits": found.scale_exp_bits if isinstance(found, MXSpec) else found.exponent_bits,
    }


def _of_type(t: IeeeFloat) -> tuple[Any, ...]:
    p, emin = t.precision, t.emin
    ends = (t.smallest_exact, Fraction(2) ** emin, t.max_exact)
    return 2.0**-p, *map(_plain, ends), p, emin - p + 1, emin, t.emax


def _of_blocks(spec: BFPSpec | MXSpec) -> tuple[Any, ...]:
    """Over all scales: the smallest element with the lowest one, the largest with the highest."""
    bits = spec.scale_exp_bits if isinstance(spec, MXSpec) else spec.exponent_bits
    low, high = scale_range(bits)
    t: Any = spec.element
    if isinstance(t, IeeeFloat):
        p, smallest, normal, top = t.precision, t.emin - t.sig_bits, t.emin, t.emax
    else:
        # Fixed point: one step is the smallest number, and there is no other kind.
        p = t.width - (1 if isinstance(spec, MXSpec) else 0)  # pychop counts the sign of BFP
        smallest = normal = -t.frac
        top = t.integer - 2
    ends = (Fraction(2) ** (smallest + low), Fraction(2) ** (normal + low), t.max_exact * 2**high)
    return 2.0**-p, *map(_plain, ends), p, smallest + low, normal + low, top + high


def _plain(value: Fraction) -> float | None:
    """``value`` as a float, if one is exactly it."""
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if Fraction(found) == value else None
