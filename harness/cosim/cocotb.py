"""Numbers of ``ap_fixed`` and its kin in cocotb testbenches, and a scoreboard that explains.

    dut.x.value = Fixed(1.5, "ap_fixed<16,6>")        # refused if the port has other than 16 bits
    await RisingEdge(dut.clk)
    assert dut.y == Fixed(1.5, "ap_fixed<8,4>")       # the same bits; never while a bit is X
    assert Fixed.of(dut.y, "ap_fixed<8,4>") == 1.5    # the same number

Needs cocotb 2, and works without a simulator, too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from numbers import Number
from typing import Any

import numpy as np
from cocotb.handle import ValueObjectBase
from cocotb.types import LogicArray

from harness.cosim.errors import SignatureError
from harness.cosim.numbers import codes_of_values, values_of_codes
from harness.explain import explain
from harness.explain.fixed import rows
from harness.quantize import cast_codes
from harness.types import ApFixed, NumberType, as_fixed_type, as_number_type, exact_number

__all__ = ["Fixed", "Scoreboard"]

#: Weak levels are levels.
_WEAK = str.maketrans("LH", "01")


class Fixed(LogicArray):
    """A number of a type, as the bits that a port has: it may be assigned to one.

    It is equal to a port or a ``LogicArray`` of the same bits, to a ``Fixed`` of the same number,
    and to a number; nothing is equal to what has an X.

    Args:
        value: a number that the type has, exactly.
        type: or its spelling.

    Raises:
        SignatureError: for a number that the type has not.
    """

    __slots__ = ("type",)
    type: NumberType

    def __init__(self, value: Any, type: str | NumberType) -> None:  # noqa: A002 # as in C++
        t = as_number_type(type)
        try:
            code = int(codes_of_values(value, t)[()])
        except (TypeError, ValueError) as error:
            raise SignatureError(str(error)) from None
        self._hold(code, t)

    def _hold(self, code: int, t: NumberType) -> None:
        super().__init__(f"{code % (1 << t.width):0{t.width}b}")
        self.type = t

    @classmethod
    def from_code(cls, code: int, type: str | NumberType) -> Fixed:  # noqa: A002
        """The number of a code: the bits as an integer, signed or not."""
        t = as_number_type(type)
        if not -(1 << (t.width - 1)) <= code < 1 << t.width:
            raise SignatureError(f"{code} is no code of {t}, which has {t.width} bits")
        self = cls.__new__(cls)
        self._hold(code, t)
        return self

    @classmethod
    def of(cls, port: Any, type: str | NumberType) -> Fixed:  # noqa: A002
        """The number that a port, or its value, has.

        Raises:
            SignatureError: if it has other than the type's bits, or one that is X, Z or the like.
        """
        t, bits = as_number_type(type), _bits(port)
        if len(bits) != t.width:
            raise SignatureError(f"{_name(port)} has {len(bits)} bits, and {t} has {t.width}")
        if not set(bits) <= {"0", "1"}:
            raise SignatureError(f"{_name(port)} has unknown bits: {bits}")
        return cls.from_code(int(bits, 2), t)

    @property
    def code(self) -> int:
        """The bits as an integer, signed if the type is."""
        code = int(_bits(self), 2)
        signed = isinstance(self.type, ApFixed) and self.type.signed
        return code - (1 << self.type.width) if signed and code >> (self.type.width - 1) else code

    @property
    def value(self) -> Any:
        """The number, exactly: an integer, a float, or a ``Fraction`` where that takes it."""
        codes = _held([self.code], self.type)
        found = values_of_codes(codes, self.type)[0]
        return found.item() if hasattr(found, "item") else found

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Fixed):
            return _same(self.value, other.value)
        if isinstance(other, ValueObjectBase | LogicArray):
            return _bits(other) == _bits(self)
        if isinstance(other, Number):
            return _same(self.value, other)
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # its bits may be changed, as those of any array

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"Fixed({self.value}, '{self.type}')"


def _same(a: Any, b: Any) -> bool:
    a, b = exact_number(a), exact_number(b)
    return bool(a == b or (math.isnan(a) and math.isnan(b)))


def _held(codes: list[int], t: NumberType) -> Any:
    """Codes as arrays hold them: 64 bits are ``int64``, also of an unsigned type."""
    if t.width > 64:
        return np.array(codes, object)
    return np.array([c - (1 << 64) if c >> 63 > 0 else c for c in codes], np.int64)


def _bits(port: Any) -> str:
    value = port.value if isinstance(port, ValueObjectBase) else port
    return str(value).translate(_WEAK)


def _name(port: Any) -> str:
    return str(getattr(port, "_name", "it"))


class Scoreboard:
    """What a design should give, in order, against what it gives.

        board = Scoreboard("ap_fixed<8,4,AP_RND,AP_SAT>", source="ap_fixed<16,6>")
        board.expect(x)          # for each input that goes in
        board.check(dut.y)       # for each output
        board.finish()           # raises if anything differed, was left over, or never came

    The first difference of a cast is explained: exact value, rounding, overflow, code.

    Args:
        type: of the output.
        source: type of the input.
        model: gives the number expected for an input; without one, the cast from ``source``.
        name: of the output, in reports.
    """

    def __init__(
        self,
        type: str | NumberType,  # noqa: A002
        source: str | NumberType | None = None,
        model: Callable[[Any], Any] | None = None,
        name: str = "y",
    ) -> None:
        self.type = as_number_type(type)
        self.source = None if source is None else as_number_type(source)
        if model is None and self.source is not None:
            for t in (type, source):
                as_fixed_type(t)  # type: ignore[arg-type]  # refuses another
        if model is None and self.source is None:
            raise SignatureError("a scoreboard needs a model, or the type of its source for a cast")
        self.name = name
        self.compared = 0
        self.differences: list[str] = []
        self._model = model
        self._waiting: deque[tuple[Any, Fixed]] = deque()

    def expect(self, given: Any) -> Fixed:
        """Note what an input should give: a number, or a ``Fixed``; it is returned."""
        if self.source is not None and not isinstance(given, Fixed):
            given = Fixed(given, self.source)
        if self._model is not None:
            found = self._model(given.value if isinstance(given, Fixed) else given)
            expected = found if isinstance(found, Fixed) else Fixed(found, self.type)
        else:
            assert self.source is not None
            code = cast_codes(_held([given.code], self.source), self.source, self.type)
            expected = Fixed.from_code(int(np.asarray(code)[0]), self.type)
        self._waiting.append((given, expected))
        return expected

    def check(self, port: Any) -> bool:
        """Compare the next output; whether it is as expected."""
        self.compared += 1
        if not self._waiting:
            self.differences.append(f"{self.name} = {_bits(port)} came, and nothing was expected")
            return False
        given, expected = self._waiting.popleft()
        if port == expected:
            return True
        try:
            got = _told(Fixed.of(port, self.type))
        except SignatureError as error:
            got = str(error)
        said = _told(given) if isinstance(given, Fixed) else str(given)
        told = f"{said} => got {self.name} = {got}, expected {_told(expected)}"
        if not self.differences and self._model is None:
            told += "".join(f"\n    {row}" for row in _steps(given, expected))
        self.differences.append(told)
        return False

    def finish(self) -> int:
        """The number of outputs compared.

        Raises:
            AssertionError: if any differed, some never came, or there were none.
        """
        lines = list(self.differences[:8])
        if self._waiting:
            lines.append(f"{len(self._waiting)} outputs never came")
        if not self.compared:
            lines.append("nothing was compared")
        if lines:
            count = len(self.differences)
            raise AssertionError(
                f"{self.name}: {count} of {self.compared} outputs differ\n" + "\n".join(lines)
            )
        return self.compared


def _told(x: Fixed) -> str:
    digits = (x.type.width + 3) // 4
    return f"{x.value} (0x{x.code % (1 << x.type.width):0{digits}x})"


def _steps(given: Fixed, expected: Fixed) -> list[str]:
    """How a cast comes about, if its input is a double, and the header goes the same way."""
    t, value = expected.type, given.value
    exact = exact_number(value)
    if not isinstance(t, ApFixed) or math.isnan(exact) or Fraction(float(exact)) != exact:
        return []
    steps = explain(float(exact), t)
    if steps.code % (1 << t.width) != expected.code % (1 << t.width):
        return []
    return [f"{name:<9} {text}" for name, text in rows(steps)]
