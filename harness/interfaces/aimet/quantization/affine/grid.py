"""The range of integers of a quantizer, in each way that AIMET spells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Grid", "range_of", "signed_range"]


def signed_range(bitwidth: int, signed: bool) -> tuple[int, int]:
    """``qmin`` and ``qmax`` of so many bits.

    Raises:
        TypeError: for a bit width that is no whole number.
        ValueError: for less than 1 bit.
    """
    if int(bitwidth) != bitwidth:
        raise TypeError(f"bitwidth must be a whole number, not {bitwidth}")
    if bitwidth < 1:
        raise ValueError(f"bitwidth must be 1 or more, not {bitwidth}")
    return _steps(2 ** int(bitwidth) - 1, signed)


def _steps(steps: int, signed: bool) -> tuple[int, int]:
    lowest = -((steps + 1) // 2) if signed else 0
    return lowest, lowest + steps


def range_of(
    what: str, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[int, int, Sequence[int] | None]:
    """``qmin``, ``qmax`` and the block size of a call's arguments.

    Raises:
        TypeError: for arguments of no spelling.
        ValueError: for ``qmin >= qmax``.
    """
    given = dict(kwargs)
    pairs = "qmin" in given or "qmax" in given
    pairs = pairs or (len(args) > 1 and isinstance(args[1], int) and not isinstance(args[1], bool))
    names = ("qmin", "qmax", "block_size") if pairs else ("bitwidth", "signed", "block_size")
    for name, value in zip(names, args, strict=False):
        if name in given:
            raise TypeError(f"{what} got {name} twice")
        given[name] = value
    known = {*names, "num_steps"} if not pairs else {*names}
    if wrong := sorted(set(given) - known):
        raise TypeError(f"{what} takes {', '.join(names)}, not {wrong[0]}")
    if len(args) > len(names):
        raise TypeError(f"{what} takes {', '.join(names)}, and got {len(args)} of them")
    block_size = given.get("block_size")
    if pairs:
        if given.get("qmin") is None or given.get("qmax") is None:
            raise TypeError(f"{what} takes qmin and qmax, or a bitwidth")
        qmin, qmax = int(given["qmin"]), int(given["qmax"])
    elif given.get("num_steps") is not None:
        qmin, qmax = _steps(int(given["num_steps"]), bool(given.get("signed")))
    elif given.get("bitwidth") is not None:
        qmin, qmax = signed_range(given["bitwidth"], bool(given.get("signed")))
    else:
        raise TypeError(f"{what} takes qmin and qmax, or a bitwidth")
    if qmin >= qmax:
        raise ValueError(f"qmin must be below qmax, {qmin} is not below {qmax}")
    return qmin, qmax, block_size


class Grid:
    """Integers from ``qmin`` to ``qmax``, with the bit width and the sign that they are of."""

    qmin: int
    qmax: int

    @property
    def num_steps(self) -> int:
        """How many steps there are between the lowest and the highest integer."""
        return self.qmax - self.qmin

    @property
    def bitwidth(self) -> int:
        """The bit width; ``RuntimeError`` for integers that are of none."""
        return self._format()[0]

    @bitwidth.setter
    def bitwidth(self, bitwidth: float) -> None:
        signed = self.qmin < 0
        self.qmin, self.qmax = signed_range(bitwidth, signed)  # type: ignore[arg-type]

    @property
    def signed(self) -> bool:
        """Whether the integers are signed; ``RuntimeError`` for those of no bit width."""
        return self._format()[1]

    @signed.setter
    def signed(self, signed: bool) -> None:
        self.qmin, self.qmax = signed_range(self.bitwidth, signed)

    def _format(self) -> tuple[int, bool]:
        bitwidth, signed = self.num_steps.bit_length(), self.qmin < 0
        if signed_range(bitwidth, signed) != (self.qmin, self.qmax):
            raise RuntimeError(f"no bit width has the integers {self.qmin} to {self.qmax}")
        return bitwidth, signed
