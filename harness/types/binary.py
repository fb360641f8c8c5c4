"""``Binary``: one bit that stands for -1 or 1."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Binary"]


@dataclass(frozen=True)
class Binary:
    """{-1, 1}, by the sign; code 0 is -1 and code 1 is 1.

    Args:
        zero: what 0 becomes: 1 as in hls4ml's ``binary_tanh``, or -1.

    Raises:
        ValueError: for another ``zero``.
    """

    zero: int = 1

    width = 1
    signed = False
    min_code, max_code = 0, 1
    codes = range(2)
    min, max = -1.0, 1.0
    min_exact, max_exact = Fraction(-1), Fraction(1)
    significand_bits = 1

    def __post_init__(self) -> None:
        if self.zero not in (-1, 1) or isinstance(self.zero, bool):
            raise ValueError(f"zero must be 1 or -1, not {self.zero!r}")

    @property
    def cpp(self) -> str:
        """``binary``, or ``binary<-1>`` if that is what zero becomes."""
        return "binary" if self.zero == 1 else "binary<-1>"

    def __str__(self) -> str:
        return self.cpp

    def __format__(self, spec: str) -> str:
        return format(self.cpp, spec)

    def _repr_html_(self) -> str:
        """For notebooks."""
        from harness.report.notebook import type_html

        return type_html(self)
