"""``ApFixed``: the record that names exactly one ``ap_[u]fixed<W,I,Q,O,N>`` instantiation."""

from __future__ import annotations

import enum
import functools
import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from harness.types import spelling
from harness.types.ends import Ends, exact_float
from harness.types.modes import Overflow, Rounding, StochasticRounding, parse_rounding
from harness.types.texts import brief, shown

__all__ = ["BOOL", "MAX_WIDTH", "ApFixed", "ApInt", "as_int", "check_cast"]

MAX_WIDTH = 1024
"""The widest type the vendor's headers accept without a macro (``AP_INT_MAX_W``)."""
#: The header computes with ``int`` template arguments; past this its shifts would overflow.
MAX_INTEGER = 2**24


def as_int(name: str, value: object) -> int:
    """``value`` as a Python integer; ``ValueError`` names what was wrong."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]  # NumPy integers are welcome
    except TypeError:
        pass
    spelled = isinstance(value, str) and value.strip()[:1].isalpha()
    hint = f"; parse_type({shown(value)}) reads a spelling" if spelled else ""
    raise ValueError(f"{name} must be an integer, not {shown(value)}{hint}")


def _as_signed(signed: object, rounding: object = None, facts: str = "") -> bool:
    """``signed``; ``ValueError`` says what is meant if a mode stands in its place.

    ``rounding`` is what stands in the next place, ``facts`` what stands before.
    """
    if not isinstance(signed, enum.Enum) and signed in (True, False):
        return bool(signed)
    modes = {}
    for value in (signed, rounding):
        for kind in (Rounding, Overflow):
            name = str(value).upper().removeprefix("AP_").removeprefix("SC_")
            if name in kind.__members__ and value is not Rounding.TRN:
                modes[kind.__name__.lower()] = str(value)
    meant = ", ".join(f"{name}={value!r}" for name, value in modes.items())
    hint = f"; meant: ApFixed({facts}, {meant})" if meant and facts else ""
    raise ValueError(f"signed must be True or False, not {shown(signed)}{hint}")


@functools.total_ordering
@dataclass(frozen=True, repr=False)
class ApFixed(Ends):
    """A fixed-point type; a value is ``code * 2**-frac``.

    ``min``, ``max`` and ``lsb`` are floats, for ``np.clip(x, t.min, t.max)``; where no double is
    that number they raise, and ``min_exact``, ``max_exact`` and ``lsb_exact``, fractions, never do.

    Args:
        width: total bits W, 1 to 1024.
        integer: integer bits I, the sign included; may be negative or exceed ``width``.
        signed: ``ap_fixed`` if true, ``ap_ufixed`` if false.
        rounding: a :class:`Rounding` or its name; the C++ default is ``TRN``.  ``S_RND`` and
            ``S_RND_CONV`` round by chance: for training, with a generator, and not in C++.
        overflow: an :class:`Overflow` or its name; the C++ default is ``WRAP``.
        n: saturated bits N of the wrapping modes, 0 to ``width``.

    Raises:
        ValueError: for what the vendor's headers refuse or leave undefined.
    """

    width: int
    integer: int
    signed: bool = True
    rounding: Rounding = Rounding.TRN  # or a StochasticRounding, which only training meets
    overflow: Overflow = Overflow.WRAP
    n: int = 0

    def __init__(
        self,
        width: int,
        integer: int = None,  # type: ignore[assignment]  # noqa: RUF013  # for ApFixed("...")
        signed: bool = True,
        rounding: Rounding | StochasticRounding | str = Rounding.TRN,
        overflow: Overflow | str = Overflow.WRAP,
        n: int = 0,
    ) -> None:
        # Written out, so that a mode may be given by name while the stored field has one type.
        store = functools.partial(object.__setattr__, self)
        store("width", as_int("width", width))
        store("integer", as_int("integer", integer))
        store("signed", _as_signed(signed, rounding, f"{brief(self.width)}, {brief(self.integer)}"))
        store("rounding", parse_rounding(rounding))
        store("overflow", Overflow.parse(overflow))
        store("n", as_int("n", n))
        self._validate()

    def _validate(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"width must be 1 to {MAX_WIDTH}, not {brief(self.width)}")
        if abs(self.integer) > MAX_INTEGER:
            raise ValueError(f"integer must lie within +-{MAX_INTEGER}, not {brief(self.integer)}")
        if not 0 <= self.n <= self.width:
            raise ValueError(f"n must be 0 to the width {self.width}, not {brief(self.n)}")
        if self.n and not self.overflow.wraps:
            raise ValueError(f"n applies to WRAP and WRAP_SM only, not to {self.overflow}")
        if self.overflow is Overflow.WRAP_SM and not self.signed:
            raise ValueError("WRAP_SM needs a signed type: the headers end the process otherwise")

    @property
    def frac(self) -> int:
        """Fractional bits F = W - I; may be negative."""
        return self.width - self.integer

    @property
    def min_code(self) -> int:
        """The lowest code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_code(self) -> int:
        """The highest code."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def codes(self) -> range:
        """Every code, from lowest to highest."""
        return range(self.min_code, self.max_code + 1)

    @property
    def lsb_exact(self) -> Fraction:
        """The weight of the lowest bit, 2**-F, exactly."""
        return Fraction(2) ** -self.frac

    @property
    def lsb(self) -> float:
        """The same as a float; ``ValueError`` names ``lsb_exact`` if no double is it."""
        return exact_float(self, "lsb")

    @property
    def min_exact(self) -> Fraction:
        """The lowest value, exactly."""
        return self.min_code * self.lsb_exact

    @property
    def max_exact(self) -> Fraction:
        """The highest value, exactly."""
        return self.max_code * self.lsb_exact

    @property
    def whole(self) -> ApInt:
        """What C++ cuts a value to before it meets an ``ap_int`` in a compound assignment."""
        return ApInt(max(self.integer, 1), self.signed)

    @property
    def significand_bits(self) -> int:
        """Bits of significand a binary float needs to hold every value: W less the sign."""
        return max(self.width - self.signed, 1)

    @property
    def cpp(self) -> str:
        """The C++ spelling, defaults left out: ``ap_fixed<16,6,AP_RND,AP_SAT>``."""
        return spelling.format_cpp(self)

    @property
    def cpp_full(self) -> str:
        """The C++ spelling with every argument, so that equal types have equal text."""
        modes = f"{self.rounding.cpp},{self.overflow.cpp},{self.n}"
        return f"ap_{'' if self.signed else 'u'}fixed<{self.width},{self.integer},{modes}>"

    @property
    def hls4ml(self) -> str:
        """The spelling of hls4ml configurations: ``fixed<16,6,RND,SAT>``."""
        return spelling.format_hls4ml(self)

    @property
    def kif(self) -> tuple[bool, int, int]:
        """``(k, i, f)`` as HGQ has it: sign kept, integer bits without sign, fractional bits."""
        return self.signed, self.integer - self.signed, self.frac

    @classmethod
    def parse(cls, text: str) -> ApFixed:
        """Read a C++, hls4ml or ``(k, i, f)`` spelling; ``ap_int<W>`` is an :class:`ApInt`.

        Raises:
            ValueError: says what was not understood and which spellings are allowed.
        """
        facts = spelling.parse(text)
        return ApFixed(**facts) if "integer" in facts else ApInt(**facts)

    @classmethod
    def from_kif(cls, k: bool, i: int, f: int, **modes: Any) -> ApFixed:
        """The type with sign ``k``, ``i`` integer bits without the sign, ``f`` fractional bits."""
        k = bool(k)
        return ApFixed(k + as_int("i", i) + as_int("f", f), k + as_int("i", i), k, **modes)

    def with_modes(self, **modes: Any) -> ApFixed:
        """The same set of values under another ``rounding``, ``overflow`` or ``n``."""
        facts = {"rounding": self.rounding, "overflow": self.overflow, "n": self.n, **modes}
        return ApFixed(self.width, self.integer, self.signed, **facts)

    @property
    def _facts(self) -> tuple[Any, ...]:
        modes = (self.rounding, self.overflow, self.n)
        return self.width, self.integer, self.signed, *modes, isinstance(self, ApInt)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, ApFixed):
            return NotImplemented
        return self._facts < other._facts

    def __str__(self) -> str:
        return self.cpp

    def __format__(self, spec: str) -> str:
        """``f"{t:hls4ml}"`` and ``f"{t:kif}"`` spell ``t``; other specs lay out the C++ text."""
        forms = {
            "cpp": lambda: self.cpp,
            "hls4ml": lambda: self.hls4ml,
            "kif": lambda: spelling.format_kif(self),
        }
        return forms[spec]() if spec in forms else format(self.cpp, spec)

    def __repr__(self) -> str:
        parts = [str(self.width), str(self.integer)]
        if not self.signed:
            parts.append("signed=False")
        if self.rounding is not Rounding.TRN:
            parts.append(f"rounding={self.rounding.name!r}")
        if self.overflow is not Overflow.WRAP:
            parts.append(f"overflow={self.overflow.name!r}")
        if self.n:
            parts.append(f"n={self.n}")
        return f"ApFixed({', '.join(parts)})"


class ApInt(ApFixed):
    """``ap_int<W>`` or ``ap_uint<W>``: an integer type of its own.

    It has the codes of ``ap_fixed<W,W>`` and most of its operators, cuts toward zero what is
    converted into it, wraps, and departs from ``ap_fixed<W,W,AP_TRN_ZERO>`` by the quirks named in
    :data:`harness.reference.QUIRKS`.

    Args:
        width: total bits W, 1 to 1024.
        signed: ``ap_int`` if true, ``ap_uint`` if false.

    Raises:
        ValueError: for a width that the headers do not have.
    """

    def __init__(self, width: int, signed: bool = True) -> None:
        super().__init__(width, width, _as_signed(signed), Rounding.TRN_ZERO, Overflow.WRAP)

    @property
    def fixed(self) -> ApFixed:
        """The ``ap_fixed<W,W>`` with the same codes, which mixed expressions take it as."""
        return ApFixed(self.width, self.width, self.signed)

    @property
    def cpp(self) -> str:
        """The C++ spelling: ``ap_int<8>``."""
        return f"ap_{self.hls4ml}"

    @property
    def cpp_full(self) -> str:
        """The same: there are no defaults to leave out."""
        return self.cpp

    @property
    def hls4ml(self) -> str:
        """The spelling of hls4ml configurations: ``uint<8>``."""
        return f"{'' if self.signed else 'u'}int<{self.width}>"

    @classmethod
    def parse(cls, text: str) -> ApInt:
        """Read ``ap_int<W>``, ``ap_uint<W>``, ``int<W>`` or ``uint<W>``.

        Raises:
            ValueError: for anything else.
        """
        found = ApFixed.parse(text)
        if not isinstance(found, ApInt):
            raise ValueError(f"{text!r} is no integer type; allowed: ap_int<W>, ap_uint<W>")
        return found

    def __repr__(self) -> str:
        return f"ApInt({self.width}{'' if self.signed else ', signed=False'})"


BOOL = ApInt(1, signed=False)
"""What a comparison gives: a C++ ``bool`` counts as ``ap_uint<1>``."""


def check_cast(source: Any, target: Any) -> None:
    """Refuse a conversion that the headers leave undefined.

    Raises:
        ValueError: from a fixed-point type without a place for the unit into an integer type: the
            header converts memory that it never wrote.
    """
    into_integer = isinstance(target, ApInt) and not isinstance(source, ApInt)
    if into_integer and isinstance(source, ApFixed) and source.integer < 0:
        raise ValueError(
            f"{source} to {target} is undefined: with fewer than 0 integer bits the header reads "
            "memory that it never wrote; convert to an ap_fixed first"
        )
