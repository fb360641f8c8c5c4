"""Hypothesis strategies: types, codes, and the values on which quantizers go wrong."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from harness.testing.modes import (
    FLOAT_OVERFLOWS,
    FLOAT_ROUNDINGS,
    OVERFLOWS,
    ROUNDINGS,
    Modes,
    chosen,
    having,
)
from harness.types import (
    FORMATS,
    ApFixed,
    Binary,
    BinaryFloat,
    FloatOverflow,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    NumberType,
    Overflow,
    Rounding,
    VitisFloat,
    as_fixed_type,
    as_number_type,
)
from harness.verify.cases import SPECIALS
from harness.verify.float_profiles import MINIFLOATS, VITIS, variants
from harness.verify.profiles import Profile, modes, type_pool

__all__ = [
    "any_ap_types",
    "any_float_types",
    "ap_types",
    "codes",
    "float_types",
    "type_pool_of",
    "values_for",
]


def type_pool_of(
    seed: int = 0,
    size: int = 64,
    max_width: int = 64,
    *,
    rounding: Modes | None = None,
    overflow: Modes | None = None,
) -> tuple[ApFixed, ...]:
    """``size`` types that reach every mode, drawn by ``seed``; the same ones for the same seed.

    A type that C++ has to answer costs a compilation, so a suite draws from a bounded pool.
    ``rounding`` and ``overflow`` restrict it, as in :func:`ap_types`.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    roundings, overflows = _modes(rounding, overflow)
    return _pool(seed, size, max_width, roundings, overflows)


@functools.cache
def _pool(
    seed: int,
    size: int,
    max_width: int,
    roundings: tuple[Rounding, ...],
    overflows: tuple[Overflow, ...],
) -> tuple[ApFixed, ...]:
    rng = np.random.default_rng(seed)
    combinations = sum(r in roundings and o in overflows for _, r, o in modes())
    shapes = -(-size // combinations) + 1
    pool = type_pool(Profile(shapes=shapes, doubles=0, exhaustive_width=0, pairs=0), rng)
    fitting = [t for t in having(pool, roundings, overflows) if t.width <= max_width]
    if not fitting:
        raise ValueError(f"no type of at most {max_width} bits in the pool of seed {seed}")
    picked = rng.permutation(len(fitting))[:size]
    return tuple(sorted(fitting[k] for k in picked))


def ap_types(
    *,
    seed: int = 0,
    size: int = 64,
    max_width: int = 64,
    pool: Sequence[ApFixed | str] | None = None,
    rounding: Modes | None = None,
    overflow: Modes | None = None,
) -> st.SearchStrategy[ApFixed]:
    """Types from a bounded pool of fixed point.

    Args:
        seed: another one is another pool.
        size: types in the pool.
        max_width: the most bits of a type.
        pool: your own types, or their spellings, instead.
        rounding: only types with this mode or these, members or names such as ``"RND_CONV"``.
        overflow: likewise, such as ``("SAT", "SAT_SYM")``.

    Raises:
        ValueError: for a mode that C++ does not have, and if no type is left.
    """
    if pool is None:
        return st.sampled_from(
            type_pool_of(seed, size, max_width, rounding=rounding, overflow=overflow)
        )
    own = [as_fixed_type(t) for t in pool]
    if rounding is not None or overflow is not None:
        own = having(own, *_modes(rounding, overflow))
    return st.sampled_from(own)


def any_ap_types(
    max_width: int = 64,
    *,
    rounding: Modes | None = None,
    overflow: Modes | None = None,
) -> st.SearchStrategy[ApFixed]:
    """Any type at all: for code that needs no compiler behind it; modes as in :func:`ap_types`."""
    return _any_ap_types(max_width, *_modes(rounding, overflow))


@st.composite
def _any_ap_types(
    draw: st.DrawFn,
    max_width: int,
    roundings: tuple[Rounding, ...],
    overflows: tuple[Overflow, ...],
) -> ApFixed:
    some = [mode for mode in modes() if mode[1] in roundings and mode[2] in overflows]
    signed, rounding, overflow = draw(st.sampled_from(some), label="modes")
    width = draw(st.integers(1, max_width), label="width")
    integer = draw(st.integers(-24, width + 24), label="integer")
    n = draw(st.integers(0, width), label="n") if overflow.wraps else 0
    return ApFixed(width, integer, signed, rounding, overflow, n)


def _modes(
    rounding: Modes | None, overflow: Modes | None
) -> tuple[tuple[Rounding, ...], tuple[Overflow, ...]]:
    return chosen("rounding", rounding, ROUNDINGS), chosen("overflow", overflow, OVERFLOWS)


def float_types(
    *, rounding: Modes | None = None, overflow: Modes | None = None
) -> st.SearchStrategy[BinaryFloat]:
    """Minifloats and Vitis floats that ``verify`` asks about, and the named formats in all modes.

    A bounded pool, like that of :func:`ap_types`: a minifloat costs a compilation.

    Args:
        rounding: only types with this mode or these, members or names such as ``"NEAREST_EVEN"``.
        overflow: likewise, ``"inf"`` or ``"saturate"``.

    Raises:
        ValueError: for any other mode, and if no type is left.
    """
    roundings = chosen("rounding", rounding, FLOAT_ROUNDINGS)
    overflows = chosen("overflow", overflow, FLOAT_OVERFLOWS)
    named = (t for base in FORMATS.values() for t in variants(base))
    return st.sampled_from(having([*MINIFLOATS, *VITIS, *named], roundings, overflows))


def any_float_types(
    *, stochastic: bool = False, rounding: Modes | None = None, overflow: Modes | None = None
) -> st.SearchStrategy[BinaryFloat]:
    """Any float type at all of up to 64 bits: for code that needs no compiler behind it.

    Modes as in :func:`float_types`; with ``stochastic``, those that round by chance too.
    """
    allowed = tuple(FloatRounding) if stochastic else FLOAT_ROUNDINGS
    return _any_float_types(
        chosen("rounding", rounding, allowed), chosen("overflow", overflow, FLOAT_OVERFLOWS)
    )


@st.composite
def _any_float_types(
    draw: st.DrawFn,
    roundings: tuple[FloatRounding, ...],
    overflows: tuple[FloatOverflow, ...],
) -> BinaryFloat:
    saturates, nearest = FloatOverflow.SATURATE in overflows, MiniFloat.rounding in roundings
    families = ["minifloat"] if nearest and saturates else []
    families += ["vitis"] if nearest and FloatOverflow.INF in overflows else []
    family = draw(st.sampled_from([*families, "ieee"]), label="family")
    if family == "minifloat":
        m, e = draw(st.integers(0, 52), label="m"), draw(st.integers(1, 11), label="e")
        return MiniFloat(m, e, draw(st.integers(-40, 40), label="e0"))
    if family == "vitis":
        e = draw(st.integers(4, 11), label="e")
        return VitisFloat(e + draw(st.integers(4, 53), label="significand"), e)
    kinds = ["ieee", "fn", "fnuz", *(["none"] if saturates else [])]
    specials = draw(st.sampled_from(kinds), label="specials")
    some = [o for o in overflows if specials != "none" or o is FloatOverflow.SATURATE]
    return IeeeFloat(
        draw(st.integers(2, 11), label="exp_bits"),
        draw(st.integers(1, 50), label="sig_bits"),
        subnormals=draw(st.booleans(), label="subnormals"),
        overflow=draw(st.sampled_from(some), label="overflow"),
        specials=specials,
        rounding=draw(st.sampled_from(roundings), label="rounding"),
    )


def codes(t: NumberType | str) -> st.SearchStrategy[int]:
    """Codes of ``t``; the ends often."""
    t = as_number_type(t)
    ends = st.sampled_from([t.min_code, min(1, t.max_code), 0, t.max_code])
    return ends | st.integers(t.min_code, t.max_code)


@st.composite
def values_for(draw: st.DrawFn, t: NumberType | str, *, finite: bool = False) -> float:
    """Doubles near the ties, codes and bounds of ``t``, and far from them.

    With ``finite`` neither NaN nor infinities are drawn; NaN never for a type that has none.
    """
    t = as_number_type(t)
    if isinstance(t, BinaryFloat):
        return draw(_values_near_floats(t, finite))
    if isinstance(t, Binary):
        return draw(st.sampled_from([0.0, -0.0, 1.0, -1.0]) | st.floats(allow_nan=False))
    kind = draw(st.sampled_from(["tie", "bound", "far", "any", "special"]), label="kind")
    if kind == "any":
        return draw(st.floats(allow_nan=not finite, allow_infinity=not finite))
    if kind == "special":
        specials = [float(x) for x in SPECIALS if math.isfinite(x) or not finite]
        return draw(st.sampled_from(specials))
    if kind == "bound":
        half = 2 * draw(st.sampled_from([t.min_code, t.max_code])) + draw(st.integers(-4, 4))
    else:
        half = draw(st.integers(2 * t.min_code - 4, 2 * t.max_code + 4), label="half LSBs")
    if kind == "far":
        half += draw(st.integers(-9, 9)) << (t.width + 1)
    x = _as_double(half, -t.frac - 1)
    for _ in range(draw(st.integers(0, 1), label="ulps")):
        x = math.nextafter(x, draw(st.sampled_from([-math.inf, math.inf])))
    return x if math.isfinite(x) or not finite else math.copysign(1.0, x)


@st.composite
def _values_near_floats(draw: st.DrawFn, t: BinaryFloat, finite: bool) -> float:
    """Half ulps of any binade, with their neighbours; specials; anything."""
    kind = draw(st.sampled_from(["half", "edge", "special", "any"]), label="kind")
    if kind in ("special", "any"):
        nan = t.nan_code is not None and not finite
        anything = st.floats(allow_nan=nan, allow_infinity=not finite)
        specials = [
            float(x) for x in SPECIALS if not math.isnan(x) and not (finite and math.isinf(x))
        ]
        return draw(st.sampled_from(specials) if kind == "special" else anything)
    ends = st.sampled_from([t.emin - 1, t.emin, t.emax, t.emax + 1])
    exponent = draw(
        ends if kind == "edge" else st.integers(t.emin - 2, t.emax + 1), label="exponent"
    )
    half = draw(st.integers(0, 1 << (t.frac_bits + 2)), label="half ulps")
    x = _as_double(half, exponent - t.frac_bits - 1)
    for _ in range(draw(st.integers(0, 1), label="ulps")):
        x = math.nextafter(x, draw(st.sampled_from([-math.inf, math.inf])))
    x = -x if draw(st.booleans(), label="minus") else x
    return x if math.isfinite(x) or not finite else math.copysign(1.0, x)


def _as_double(significand: int, exponent: int) -> float:
    """``significand * 2**exponent``, or the infinity of its sign."""
    try:
        return math.ldexp(float(significand), exponent)
    except OverflowError:
        return math.copysign(math.inf, significand)
