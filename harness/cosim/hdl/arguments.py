"""Arguments of a hardware module: what callers say of them, and what their ports have room for."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.cosim.errors import SignatureError
from harness.cosim.hdl.ports import Wire
from harness.cosim.signature import Port
from harness.names import instead
from harness.types import ApInt, NumberType, as_number_type

__all__ = ["Arguments", "Asked", "Part", "gathered"]

_SHAPED = re.compile(r"(.*?[^\s\]])\s*((?:\[\s*\d+\s*\])*)$")


@dataclass(frozen=True)
class Asked:
    """What the caller says of the ports; see :func:`harness.cosim.rtl`."""

    clock: str | None = None
    reset: str | bool | None = None
    reset_low: bool | None = None
    protocol: str | None = None
    latency: int | None = None
    types: Mapping[str, str | NumberType] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    valid: Mapping[str, str] = field(default_factory=dict)
    ready: Mapping[str, str] = field(default_factory=dict)
    tie: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """An argument at its ports.

    Attributes:
        kind: the class in ``cosim_rtl_parts.h``.
        port: the argument.
        pins: the wires that it has, by role.
        width: bits of the wire that has one element.
    """

    kind: str
    port: Port
    pins: Mapping[str, str]
    width: int


class Arguments:
    """What callers say of types and sizes, and whether all of it was of use."""

    def __init__(self, asked: Asked) -> None:
        self._types = {name: _parsed(name, given) for name, given in asked.types.items()}
        self._sizes = asked.sizes
        self._names: dict[str, None] = {}

    def used(self) -> None:
        """Refuse what was said of arguments that there are not."""
        for name in (*self._types, *self._sizes):
            if name not in self._names:
                raise SignatureError(f"there is no argument {name}: {instead(name, self._names)}")

    def scalar(self, wire: Wire, pins: Mapping[str, str], name: str = "", way: str = "") -> Part:
        """An argument that has a port, or an array of them."""
        name = name or wire.name
        kind = "input" if wire.goes_in else "output"
        t, shape = self._of(name, wire, wire.shape)
        port = Port(
            name, self._said(name, wire), t, shape, way or ("in" if wire.goes_in else "out")
        )
        return Part(kind, port, {"data": wire.name, **pins}, wire.width)

    def stream(self, name: str, wire: Wire, pins: Mapping[str, str]) -> Part:
        """An argument that is a stream; its port may be wider, up to the next byte."""
        way = "in" if wire.goes_in else "out"
        t, shape = self._of(name, wire, (), padded=True)
        if shape:
            raise SignatureError(f"{name} is a stream of single values: leave its dimensions out")
        length = self._sizes.get(name)
        port = Port(name, self._said(name, wire), t, (), way, stream=True, length=length)
        return Part(f"stream_{way}", port, {"data": wire.name, **pins}, wire.width)

    def memory(self, name: str, wires: Mapping[str, Wire], pins: Mapping[str, str]) -> Part:
        """An argument that is an array in a memory."""
        way = {(True, False): "in", (False, True): "out", (True, True): "inout"}[
            any(r.startswith("q") for r in pins), any(r.startswith("d") for r in pins)
        ]
        data = next(w for role, w in wires.items() if role[0] in "qd")
        t, shape = self._of(name, data, (), outside=True)
        shape = shape or ((self._sizes[name],) if name in self._sizes else ())
        most = 1 << wires["address0"].width
        if not shape:
            raise SignatureError(
                f"{name} is an array of up to {most} elements: say how many, sizes={{'{name}': n}}"
            )
        port = Port(name, self._said(name, data), t, shape, way)
        if port.count > most:
            raise SignatureError(f"{name} has addresses for {most} elements, not for {port.count}")
        return Part("memory", port, dict(pins), data.width)

    def _said(self, name: str, wire: Wire) -> str:
        return str(self._types[name][0]) if name in self._types else str(wire)

    def _of(
        self,
        name: str,
        wire: Wire,
        shape: tuple[int, ...],
        *,
        padded: bool = False,
        outside: bool = False,
    ) -> tuple[NumberType, tuple[int, ...]]:
        self._names[name] = None
        t, asked = self._types.get(name, (ApInt(wire.width, signed=wire.signed), ()))
        if asked and shape and asked != shape:
            raise SignatureError(f"{name} has the shape {shape} in the source, not {asked}")
        # An array that is not one in the source is a vector of bits, the first element lowest.
        count = math.prod(asked) if asked and not shape and not outside else 1
        bits = -(-t.width // 8) * 8 if padded and wire.width % 8 == 0 else t.width
        if count * bits != wire.width:
            what = f"{count} of {t} have {count * t.width}" if count > 1 else f"{t} has {t.width}"
            raise SignatureError(f"{name} has {wire.width} bits, and {what}")
        return t, asked or shape


def _parsed(name: str, given: str | NumberType) -> tuple[NumberType, tuple[int, ...]]:
    """A type with dimensions behind it: ``ap_fixed<16,6>[8]``."""
    found = _SHAPED.match(given) if isinstance(given, str) else None
    try:
        t = as_number_type(found[1] if found else given)
    except (TypeError, ValueError) as error:
        raise SignatureError(f"{name}: {error}") from None
    dimensions = re.findall(r"\d+", found[2]) if found else ()
    return t, tuple(int(n) for n in dimensions)


def gathered(wires: Sequence[Wire], asked: Asked) -> tuple[tuple[Wire, ...], dict[str, list[str]]]:
    """Arrays of which every element has a port, as Vitis partitions them: ``x_0``, ``x_1``, ...

    Args:
        wires: the ports of the module.
        asked: whose types have the dimensions, ``{"x": "ap_int<8>[4]"}``, where ``x`` is no port.

    Returns:
        The ports with each such array as one, and the names of its elements' ports, in C order.
    """
    free = {w.name: w for w in wires}
    elements: dict[str, list[str]] = {}
    for name, given in asked.types.items():
        _, shape = _parsed(name, given)
        indices = itertools.product(*map(range, shape))
        ports = ["_".join([name, *map(str, index)]) for index in indices]
        alike = {(free[p].way, free[p].width, free[p].ranges) for p in ports if p in free}
        if name in free or not shape or len(alike) != 1 or not set(ports) <= set(free):
            continue
        first = free[ports[0]]
        free[first.name] = replace(first, name=name, ranges=tuple((0, n - 1) for n in shape))
        for port in ports[1:]:
            del free[port]
        elements[name] = ports
    return tuple(free.values()), elements
