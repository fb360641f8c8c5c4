"""Fixed point Q ``ibits``.``fbits``, signed, saturating: ``Chopf``; ``FPRound_`` is it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from harness.interfaces.pychop.draws import Draws
from harness.interfaces.pychop.math_func import RoundedMath
from harness.quantize import quantize, quantize_fixed
from harness.types import ApFixed, is_tensor

__all__ = ["Chopf"]

_NAMES = {
    "nearest": 1,
    "plus_inf": 2,
    "minus_inf": 3,
    "toward_zero": 4,
    "towards_zero": 4,
    "stoc_prop": 5,
    "stoc_equal": 6,
}
#: The roundings that ``ap_fixed`` has.
_MODES = {1: "RND_CONV", 3: "TRN", 4: "TRN_ZERO", 7: "RND_ZERO", 8: "RND_INF"}
_UP, _BY_CHANCE = 2, 5
_ALLOWED = "1 nearest, 2 up, 3 down, 4 toward zero, 5 and 6 by chance, 7 ties to zero, 8 ties away"


class Chopf(RoundedMath):
    """Values of a signed fixed-point type of ``ibits`` and ``fbits``; what is beyond saturates.

    NaN stays NaN, which no code of the type means.

    Args:
        ibits: integer bits, the sign included.
        fbits: fractional bits.
        rmode: 1 to nearest even, 2 up, 3 down, 4 toward zero, 5 by chance in proportion, 6 by
            chance with equal odds, 7 and 8 to nearest with ties to zero and away; or a name.
        random_state: the seed of roundings by chance.

    Attributes:
        type: the ``ApFixed`` whose values come out; it rounds as ``rmode`` where it can.

    Raises:
        ValueError: for sizes or roundings that do not exist, such as 0, ties to odd.
    """

    def __init__(
        self, ibits: int = 4, fbits: int = 4, rmode: int | str = 1, random_state: int = 0
    ) -> None:
        number = _NAMES.get(rmode, 0) if isinstance(rmode, str) else rmode
        if number not in range(1, 9):
            raise ValueError(f"unknown rounding {rmode!r}; allowed: {_ALLOWED}")
        self.ibits, self.fbits, self.rmode, self.random_state = ibits, fbits, rmode, random_state
        self.type = ApFixed(ibits + fbits, ibits, True, _MODES.get(number, "TRN"), "SAT")
        self.resolution = 2.0**-fbits
        self.min_value, self.max_value = float(self.type.min_exact), float(self.type.max_exact)
        self._number = number
        self._draws = Draws(random_state)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ibits}, {self.fbits}, rmode={self.rmode!r})"

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type, in its shape, dtype and device; no gradient passes.

        Raises:
            TypeError: for a dtype that is no float.
            ValueError: if the dtype does not hold a value that comes out.
        """
        x = x.detach() if is_tensor(x) else np.asarray(x)
        xp = sys.modules["torch"] if is_tensor(x) else np
        if not self._is_narrow(x, xp):
            return self._values(x, xp)
        wide = self._values(x.double() if is_tensor(x) else x.astype(np.float64), xp)
        values = wide.to(x.dtype) if is_tensor(x) else wide.astype(x.dtype)
        if bool(((values != wide) & ~xp.isnan(wide)).any()):
            name = f"Q{self.ibits}.{self.fbits}"
            raise ValueError(f"{x.dtype} does not hold every value that came out of {name}")
        return values

    def _is_narrow(self, x: Any, xp: Any) -> bool:
        """Whether the dtype is a float's that does not hold every value of the type."""
        floats = x.is_floating_point() if is_tensor(x) else x.dtype.kind == "f"
        return bool(floats and 2.0**self.type.significand_bits > 2 / float(xp.finfo(x.dtype).eps))

    def _values(self, x: Any, xp: Any) -> Any:
        nan = xp.isnan(x)
        number = xp.where(nan, 0.0, x) if bool(nan.any()) else x
        values = quantize(self._rounded(number, xp), self.type)
        return xp.where(nan, x, values) if bool(nan.any()) else values

    def quantize(self, x: Any) -> Any:
        """The same as calling it."""
        return self(x)

    def get_format_info(self) -> dict[str, Any]:
        """Name, width, range and resolution."""
        return {
            "format": f"Q{self.ibits}.{self.fbits}",
            "total_bits": self.type.width,
            "range": (self.min_value, self.max_value),
            "resolution": self.resolution,
        }

    def _rounded(self, x: Any, xp: Any) -> Any:
        """What the type takes as it is: a neighbour of ``x`` on the grid, or ``x`` itself."""
        if self._number in _MODES:
            return x
        if self._number == _BY_CHANCE:
            return self._on_grid(x, "S_RND_CONV", self._draws.of(x))
        up = -self._on_grid(-x, "TRN")
        if self._number == _UP:
            return up
        return xp.where(self._draws.uniform(x) < 0.5, self._on_grid(x, "TRN"), up)

    def _on_grid(self, x: Any, rounding: str, rng: Any = None) -> Any:
        return quantize_fixed(x, 1, self.ibits - 1, self.fbits, rounding, None, rng)
