"""Floats of few bits on arrays and tensors: ``Chop`` by bits, ``FaultChop`` by name."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from harness.interfaces.pychop.draws import Draws
from harness.interfaces.pychop.math_func import RoundedMath
from harness.interfaces.pychop.precisions import Customs, custom_type, named_type
from harness.quantize import decode, quantize, quantize_codes
from harness.types import FloatRounding, IeeeFloat, is_tensor

__all__ = ["Chop", "FaultChop"]


#: Roundings that MATLAB's chop does not have.
_NOT_OF_CHOP = (FloatRounding.NEAREST_ZERO, FloatRounding.NEAREST_AWAY, FloatRounding.ODD)


class _Simulator(RoundedMath):
    """A type, and where its chances come from.

    Attributes:
        type: the :class:`IeeeFloat`.
        rmode: the rounding as it was given.
        subnormal: whether there are subnormals.
        exp_bits: exponent bits.
        sig_bits: bits of significand without the hidden one.
        t: bits of significand with it.
        emax: the largest exponent.
        u: the unit roundoff, ``2**-t``.
    """

    def __init__(self, t: IeeeFloat, rmode: int | str, random_state: int) -> None:
        self.type = t
        self.rmode = rmode
        self.subnormal = t.subnormals
        self.exp_bits, self.sig_bits = t.exp_bits, t.sig_bits
        self.t, self.emax, self.u = t.precision, t.emax, 2.0**-t.precision
        self.random_state = random_state
        self._draws = Draws(random_state)

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type, in its shape, dtype and device; no gradient passes.

        Raises:
            TypeError: for a dtype that is no float.
            ValueError: for integers, and for a dtype that cannot hold every value of the type.
        """
        x = x.detach() if is_tensor(x) else x
        return self._chopped(x, self._draws.of(x) if self.type.rounding.stochastic else None)

    def quantize(self, x: Any) -> Any:
        """The same as calling it."""
        return self(x)

    def _chopped(self, x: Any, rng: Any) -> Any:
        return quantize(x, self.type, rng)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.type})"


class Chop(_Simulator):
    """Values of a float of ``exp_bits`` and ``sig_bits``; ``LightChop`` and ``LightChop_`` are it.

    Args:
        exp_bits: exponent bits; or a name such as ``"h"``, then without ``sig_bits``; or neither,
            with ``customs``.
        sig_bits: bits of significand without the hidden one.
        rmode: the rounding, 1 to 10 or a name.
        subnormal: whether there are any; if not, what rounds to below ``2**emin`` becomes zero.
        chunk_size: has no effect: results do not depend on it.
        random_state: the seed of roundings by chance.
        verbose: has no effect: nothing is printed.
        customs: the format as ``Customs``.

    Raises:
        ValueError: for sizes, names or roundings that do not exist.
    """

    def __init__(
        self,
        exp_bits: int | str | None = None,
        sig_bits: int | None = None,
        rmode: int | str = 1,
        subnormal: bool | None = None,
        chunk_size: int = 800,
        random_state: int = 42,
        verbose: int = 0,
        *,
        customs: Any = None,
    ) -> None:
        if (exp_bits is None) == (customs is None):
            raise ValueError("give exp_bits and sig_bits, or a name such as 'h', or customs=")
        if customs is not None:
            t = custom_type(customs, rmode, subnormal)
        elif isinstance(exp_bits, str):
            if sig_bits is not None:
                raise ValueError(
                    f"{exp_bits!r} has its sig_bits; give the other arguments by keyword"
                )
            t = named_type(exp_bits, rmode, subnormal)
        else:
            custom = Customs(exp_bits=exp_bits, sig_bits=sig_bits)
            t = custom_type(custom, rmode, subnormal)
        super().__init__(t, rmode, random_state)
        self.chunk_size, self.verbose = chunk_size, verbose


class FaultChop(_Simulator):
    """Values of a float by its name or ``Customs``; ``Chop_`` is it.

    Args:
        prec: the name of a precision.
        subnormal: whether there are any; by default bfloat16 has none.
        rmode: the rounding, 1 to 10 or a name.
        flip: whether bits of the stored significand flip by chance, once rounded: one bit, all
            equally likely, of each finite result but zero that is hit.
        explim: if not, exponents have the range of the dtype, and rounding is to ``t`` bits there.
        p: the chance to be hit.
        randfunc: refused: chances come from ``random_state``.
        customs: the format, instead of ``prec``.
        random_state: the seed.
        verbose: has no effect: nothing is printed.
        round_small: whether a rounded result below the smallest magnitude of the format is rounded
            again, to it or to zero, as MATLAB's chop and pychop have it; without subnormals, too.
            By default results are rounded once, and flushed.

    Raises:
        ValueError: for what does not exist, ``randfunc``, or a ``p`` that is no probability.
    """

    def __init__(
        self,
        prec: str = "h",
        subnormal: bool | None = None,
        rmode: int | str = 1,
        flip: bool = False,
        explim: bool | int = True,
        p: float = 0.5,
        randfunc: Any = None,
        customs: Any = None,
        random_state: int = 0,
        verbose: int = 0,
        *,
        round_small: bool = False,
    ) -> None:
        if randfunc is not None:
            raise ValueError("randfunc is not taken; chances come from random_state=")
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability, 0 to 1, not {p}")
        if flip and not explim:
            raise ValueError("bits flip within the limits of the format; give explim=True")
        if customs is None:
            t = named_type(prec, rmode, subnormal)
        else:
            t = custom_type(customs, rmode, subnormal)
        if round_small and t.rounding in _NOT_OF_CHOP:
            raise ValueError(f"chop has no rounding {rmode}, so it says nothing of round_small")
        super().__init__(t, rmode, random_state)
        self.prec, self.customs = prec, customs
        self.flip, self.explim, self.p, self.verbose = bool(flip), bool(explim), p, verbose
        self.round_small = round_small

    def _chopped(self, x: Any, rng: Any) -> Any:
        if not self.explim:
            y = self._without_limits(x, rng)
        elif self.round_small:
            y = self._twice(x, rng)
        else:
            y = quantize(x, self.type, rng)
        return self._flipped(y) if self.flip else y

    def _twice(self, x: Any, rng: Any) -> Any:
        """Rounded, and what is too small then once more."""
        xp = sys.modules["torch"] if is_tensor(x) else np
        x = x if is_tensor(x) else np.asarray(x)
        full = self.type.with_modes(subnormals=True)
        tiny = abs(x) < float(full.smallest_exact)
        y = xp.where(tiny, self._without_limits(x, rng), quantize(x, full, rng))
        least = float(self.type.smallest_exact)
        away = {
            FloatRounding.NEAREST_EVEN: (
                abs(y) > least / 2 if self.subnormal else abs(y) >= least / 2
            ),
            FloatRounding.UP: y > 0,
            FloatRounding.DOWN: y < 0,
        }.get(self.type.rounding, abs(y) < 0)
        small = xp.where(away, xp.full_like(y, least), xp.zeros_like(y))
        return xp.where(abs(y) < least, xp.copysign(small, y), y)

    def _without_limits(self, x: Any, rng: Any) -> Any:
        """``x`` in ``t`` bits, whatever its exponent: its fraction in [1/2, 1) is rounded."""
        xp = sys.modules["torch"] if is_tensor(x) else np
        x = x if is_tensor(x) else np.asarray(x)
        wide = x.double() if is_tensor(x) else x.astype(np.float64)
        fraction, exponent = xp.frexp(wide)
        values = quantize(fraction, IeeeFloat(11, self.sig_bits, rounding=self.type.rounding), rng)
        # In two steps, each by a power of two that is a double.
        half = exponent // 2
        with np.errstate(over="ignore"):  # of the dtype, as is meant
            values = xp.ldexp(xp.ldexp(values, half), exponent - half)
            return values.to(x.dtype) if is_tensor(x) else values.astype(x.dtype)

    def _flipped(self, y: Any) -> Any:
        y = y if is_tensor(y) else np.asarray(y)
        bit = 1 << self._draws.below(self.sig_bits, y)
        hit = self._draws.uniform(y) < self.p
        codes = quantize_codes(y, self.type.with_modes(rounding="NEAREST_EVEN"))
        xp = sys.modules["torch"] if is_tensor(y) else np
        faulty = decode(codes ^ bit, self.type.with_modes(subnormals=True), y.dtype)
        return xp.where(hit & (y != 0) & xp.isfinite(y), faulty, y)
