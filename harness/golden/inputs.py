"""What golden vectors ask: breakpoints, ties and bounds with their neighbours, then the rest."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from harness.golden.record import NUMBERS, Number, code_of, word_of
from harness.golden.stream import Stream
from harness.types import ApFixed, BinaryFloat

__all__ = ["codes_for", "neighbours", "numbers_for"]

HALF = Fraction(1, 2)
DOUBLE, FLOAT = NUMBERS["double"], NUMBERS["float"]
_ALWAYS = (0.0, -0.0, math.inf, -math.inf, math.nan, -math.nan)
#: The smallest, the largest subnormal, the smallest normal, the largest; and one that underflows.
_ENDS = {
    DOUBLE: (5e-324, 2.2250738585072009e-308, 2.0**-1022, 1.7976931348623157e308, 1e-30),
    FLOAT: (2.0**-149, 2.0**-126 - 2.0**-149, 2.0**-126, 2.0**128 - 2.0**104, 2.0**-100),
}


def numbers_for(number: Number, t: Any, count: int, stream: Stream) -> list[int]:
    """About ``count`` words of a C++ number for a conversion to ``t``, without repetitions.

    For a type with few codes all of the breakpoints; else those at the ends and a sample.
    """
    if number.cpp not in ("double", "float"):
        points = _points(t, count, stream)
        low, high = (-(1 << 63), 1 << 63) if number.signed else (0, 1 << 64)
        whole = [math.floor(y * _unit(t)) + d for y in points for d in (-1, 0, 1)]
        return _words([n for n in whole if low <= n < high], number)[:count]
    points = _points(t, count // 4, stream)
    found = [*_ALWAYS, *(sign * x for x in _ENDS[number] for sign in (1.0, -1.0))]
    for y in points:
        x = _as_float(y * _unit(t), number)
        if x is not None:
            found.append(x)
            if not isinstance(t, ApFixed) or y.denominator != 1:
                found += [n for n in _float_neighbours(x, number) if math.isfinite(n)]
    if isinstance(t, BinaryFloat) and t.nan_code is None:
        found = [x for x in found if not math.isnan(x)]
    return _words(found, number)


def codes_for(source: Any, t: Any, count: int, stream: Stream) -> list[int]:
    """About ``count`` words of ``source`` for a conversion to ``t``; all, if it has no more.

    The ends of the source, the target's breakpoints, midpoints and bounds, each with its
    neighbours, then codes of every length.
    """
    if 1 << source.width <= count:
        return _words(source.codes, source)
    anchors = [source.min_code, source.max_code, 0]
    if isinstance(source, ApFixed):
        points = _points(t, count // 16, stream)
        anchors += [math.floor(y * _unit(t) / source.lsb_exact) for y in points]
    found = dict.fromkeys(
        code + step
        for code in anchors
        for step in (0, -1, 1)
        if source.min_code <= code + step <= source.max_code
    )
    while len(found) < count:
        code = stream.bits(stream.between(1, source.width - source.signed))
        found[~code if source.signed and stream.bits(1) else code] = None
    return _words(list(found)[:count], source)


def neighbours(word: int, source: Any) -> tuple[Any, Any]:
    """The inputs next below and above, as numbers or exact values; ``None`` where there is none."""
    code = code_of(word, source)
    if isinstance(code, float):
        if not math.isfinite(code):
            return None, None
        low, high = _float_neighbours(code, source)
        return low if math.isfinite(low) else None, high if math.isfinite(high) else None
    unit = source.lsb_exact if isinstance(source, ApFixed) else 1
    return (code - 1) * unit, (code + 1) * unit


def _words(codes: Iterable[Any], t: Any) -> list[int]:
    return list(dict.fromkeys(word_of(code, t) for code in codes))


def _unit(t: Any) -> Fraction:
    """What :func:`_points` counts in."""
    return t.lsb_exact if isinstance(t, ApFixed) else Fraction(1)


def _points(t: Any, count: int, stream: Stream) -> list[Fraction]:
    """Values and midpoints of ``t``: of an ``ApFixed`` in units of its LSB."""
    if isinstance(t, ApFixed):
        return list(_fixed_points(t, count, stream))
    if isinstance(t, BinaryFloat):
        return list(_float_points(t, count, stream))
    return [Fraction(n, 4) for n in range(-8, 9)]


def _fixed_points(t: ApFixed, count: int, stream: Stream) -> Iterator[Fraction]:
    turn = 1 << t.width
    ends = [0, t.max_code, t.min_code, turn, -turn, turn + turn // 2, 3 * turn + t.max_code]
    centres = [end + step for end in ends for step in (0, 1, -1)]
    low, high = 2 * t.min_code - 2, 2 * t.max_code + 2
    if high - low <= count:
        centres += range(low, high + 1)
    for k in range(count // 2):
        reach = 1 << stream.between(0, 3) if k % 4 == 0 else 1
        code = reach * stream.between(t.min_code, t.max_code)
        # Few significant bits reach the codes that a uniform draw never does.
        centres.append(code >> stream.between(0, t.width) if k % 3 == 0 else code)
    for centre in dict.fromkeys(centres):
        yield Fraction(centre)
        yield centre + HALF


def _float_points(t: BinaryFloat, count: int, stream: Stream) -> Iterator[Fraction]:
    step = t.frac_bits
    ends = [t.emin - step - 2, t.emin - step - 1, t.emin - step, t.emin - 1, t.emin]
    ends += [-1, 0, t.emax - 1, t.emax, t.emax + 1]
    hidden = 1 << step
    centres = [(e, s) for e in ends for s in (hidden, hidden + 1, 2 * hidden - 1)]
    centres.append((t.emax, t.max_significand))
    small = (t.emax - t.emin + 2) << step
    if small <= count:
        binades = range(t.emin - 1, t.emax + 1)
        centres += [(e, s) for e in binades for s in range(hidden, 2 * hidden)]
    for _ in range(max(0, (count - len(centres)) // 2)):
        exponent = stream.between(t.emin - step - 1, t.emax + 1)
        centres.append((exponent, hidden + stream.bits(step) if step else hidden))
    for exponent, significand in dict.fromkeys(centres):
        # Below the smallest normal the unit stays, so that significands are cut.
        unit = Fraction(2) ** (exponent - step)
        sign = -1 if stream.bits(1) else 1
        for value in (significand * unit, (significand + HALF) * unit):
            yield sign * value
    least = Fraction(2) ** (t.emin - step)
    for k in range(1, 8):  # subnormals and the midpoints between them
        yield k * least / 2


def _as_float(value: Fraction, number: Number) -> float | None:
    """``value`` as a C++ number, if it is one."""
    try:
        x = float(value)
    except OverflowError:
        return None
    if number is FLOAT:
        try:
            x = code_of(word_of(x, FLOAT), FLOAT)
        except OverflowError:
            return None
    return x if Fraction(x) == value else None


def _float_neighbours(x: float, number: Number) -> tuple[float, float]:
    if number is DOUBLE:
        return math.nextafter(x, -math.inf), math.nextafter(x, math.inf)
    word = word_of(x, FLOAT)
    away = struct.unpack("<f", struct.pack("<I", word + 1))[0]
    if word << 1 & 0xFFFFFFFF == 0:
        tiny = struct.unpack("<f", struct.pack("<I", 1))[0]
        return -tiny, tiny
    toward = struct.unpack("<f", struct.pack("<I", word - 1))[0]
    return (toward, away) if x > 0 else (away, toward)
