"""The policies of a type: how it rounds, and what it does past its range.

Members of fixed point are numbered as the vendor's ``ap_q_mode`` and ``ap_o_mode`` enumerate them,
so a member's integer value is the constant that the C++ compiler sees.  ``law`` is the definition
in one line, where ``y = x * 2**F`` is the exact value in units of the LSB.
"""

from __future__ import annotations

import enum
import re
from typing import TypeVar

from harness.types.texts import shown

__all__ = [
    "FloatOverflow",
    "FloatRounding",
    "Overflow",
    "Rounding",
    "StochasticRounding",
    "parse_rounding",
]

_M = TypeVar("_M", bound="_Mode")


class _Law(enum.IntEnum):
    """An enumeration whose members also carry their law."""

    law: str

    def __new__(cls, value: int, law: str) -> _Law:
        member = int.__new__(cls, value)
        member._value_ = value
        member.law = law
        return member

    def __str__(self) -> str:
        return self.name


class _Mode(_Law):
    """A mode of fixed point, which C++ has a constant for."""

    @property
    def cpp(self) -> str:
        """The C++ spelling, such as ``AP_RND_CONV``."""
        return f"AP_{self.name}"

    @classmethod
    def parse(cls: type[_M], value: object) -> _M:
        """Return the member named by ``value``: a member, ``"RND"``, ``"AP_RND"`` or ``"SC_RND"``.

        ``"ap_q_mode::AP_RND"`` and ``"(ap_q_mode)0"``, as compilers print it, name it too.

        Raises:
            ValueError: for any other value; the message lists what is allowed.
        """
        if isinstance(value, cls):
            return value
        text = value.strip() if isinstance(value, str) else ""
        enumeration = _ENUMERATIONS.get(cls.__name__, "")
        if match := _ENUMERATOR.fullmatch(text):
            for member in cls:
                if (enumeration, member.value) == (match[1], int(match[2])):
                    return member
        elif (name := _bare(text.removeprefix(f"{enumeration}::"))) in cls.__members__:
            return cls[name]
        allowed = ", ".join(cls.__members__)
        raise ValueError(
            f"unknown {cls.__name__.lower()} mode {shown(value)}; allowed: {allowed}{_other(text)}"
        )


class Rounding(_Mode):
    """Quantization mode ``Q``.  ``RND*`` round to nearest and the name says where a tie goes."""

    RND = (0, "floor(y + 1/2): ties to +infinity")
    RND_ZERO = (1, "nearest: ties toward zero")
    RND_MIN_INF = (2, "ceil(y - 1/2): ties to -infinity")
    RND_INF = (3, "nearest: ties away from zero")
    RND_CONV = (4, "nearest: ties to even")
    TRN = (5, "floor(y)")
    TRN_ZERO = (6, "sign(y) * floor(|y|)")

    @property
    def stochastic(self) -> bool:
        """Whether it takes a generator; no mode of the hardware does."""
        return False


class StochasticRounding(_Mode):
    """Rounding by chance, for training: it takes a generator, and C++ does not have it."""

    S_RND = (7, "floor(y + u), u uniform in [0, 1); RND in hardware")
    S_RND_CONV = (8, "floor(y + u), u uniform in [0, 1); RND_CONV in hardware")

    @property
    def stochastic(self) -> bool:
        """Whether it takes a generator."""
        return True

    @property
    def cpp(self) -> str:
        """The name alone: there is no C++."""
        return self.name

    @property
    def hardware(self) -> Rounding:
        """The mode of the hardware that a network trained with this one is made for."""
        return Rounding.RND if self is StochasticRounding.S_RND else Rounding.RND_CONV


def parse_rounding(value: object) -> Rounding | StochasticRounding:
    """A mode of either kind, by name; ``ValueError`` lists what is allowed."""
    if isinstance(value, StochasticRounding):
        return value
    name = value.strip().upper() if isinstance(value, str) else ""
    if name in StochasticRounding.__members__:
        return StochasticRounding[name]
    return Rounding.parse(value)


class Overflow(_Mode):
    """Overflow mode ``O``, applied to the rounded code."""

    SAT = (0, "clamp to [min, max]")
    SAT_ZERO = (1, "0 when out of range")
    SAT_SYM = (2, "clamp to [-max, max]")
    WRAP = (3, "keep the low W bits; N of them saturate")
    WRAP_SM = (4, "sign-magnitude wrap; N bits saturate")

    @property
    def wraps(self) -> bool:
        """Whether the mode keeps low bits, and so takes a number of saturated bits N."""
        return self in (Overflow.WRAP, Overflow.WRAP_SM)


#: The C++ enumerations.
_ENUMERATIONS = {"Rounding": "ap_q_mode", "Overflow": "ap_o_mode"}
#: A mode as a C++ compiler prints it where it does not print its name.
_ENUMERATOR = re.compile(r"\(\s*(ap_[qo]_mode)\s*\)\s*([0-9])")


def _bare(text: str) -> str:
    """A mode's name without ``AP_`` or ``SC_``, in capitals."""
    name = text.strip().upper()
    return name[3:] if name[:3] in ("AP_", "SC_") else name


def _other(text: str) -> str:
    """A word for who gives a mode of the other kind."""
    name = _bare(text)
    if name in Overflow.__members__:
        return f"; {name} is an overflow mode"
    return f"; {name} is a rounding mode" if name in Rounding.__members__ else ""


class FloatRounding(_Law):
    """How a float rounds; the integer is the code of the ``rmode`` argument of pychop.

    ``law`` says which of the two neighbours in the format is taken.
    """

    NEAREST_EVEN = (1, "the nearest; ties to the even significand")
    UP = (2, "the upper neighbour")
    DOWN = (3, "the lower neighbour")
    TOWARD_ZERO = (4, "the neighbour nearer to zero")
    STOCHASTIC = (5, "a neighbour by chance, the likelier the nearer")
    STOCHASTIC_EQUAL = (6, "a neighbour by chance, both equally likely")
    NEAREST_ZERO = (7, "the nearest; ties toward zero")
    NEAREST_AWAY = (8, "the nearest; ties away from zero")
    ODD = (9, "the neighbour with the odd significand")

    @property
    def stochastic(self) -> bool:
        """Whether it takes a generator."""
        return self in (FloatRounding.STOCHASTIC, FloatRounding.STOCHASTIC_EQUAL)

    @classmethod
    def parse(cls, value: object) -> FloatRounding:
        """The member that ``value`` names: a member, its name, its code 1 to 9, or an alias.

        Raises:
            ValueError: for any other value; the message lists what is allowed.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            name = _ALIASES.get(value.strip().lower(), value.strip().upper())
            if name in cls.__members__:
                return cls[name]
        elif not isinstance(value, bool) and value in tuple(cls):
            return next(member for member in cls if member == value)
        allowed = ", ".join(f"{member.value} {member.name}" for member in cls)
        raise ValueError(f"unknown rounding {value!r}; allowed: {allowed}")


#: The strings that pychop knows its roundings by, and their common spellings.
_ALIASES = {
    "nearest": "NEAREST_EVEN",
    "plus_inf": "UP",
    "minus_inf": "DOWN",
    "toward_zero": "TOWARD_ZERO",
    "towards_zero": "TOWARD_ZERO",
    "stoc_prop": "STOCHASTIC",
    "stochastic_prop": "STOCHASTIC",
    "stoc_equal": "STOCHASTIC_EQUAL",
    "nearest_ties_to_zero": "NEAREST_ZERO",
    "nearest_ties_to_away": "NEAREST_AWAY",
    "round_to_odd": "ODD",
}


class FloatOverflow(str, enum.Enum):
    """What a float does with a rounded magnitude beyond its largest."""

    INF = "inf"  # infinity as IEEE 754 has it; NaN where a format has NaN alone
    SATURATE = "saturate"  # the largest magnitude, also for infinities

    def __str__(self) -> str:
        return self.value
