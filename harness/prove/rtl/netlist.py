"""What a module is made of, as yosys writes it in JSON: ports, registers, and their clock."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from harness.prove.rtl.yosys import RtlError

__all__ = ["Netlist"]

#: A bit of a wire is a number in JSON, a constant is text.
Bit = int | str
LATCHES = ("$dlatch", "$adlatch", "$dlatchsr", "$sr")


class Netlist:
    """One module without others within.

    Args:
        module: of the JSON.

    Raises:
        RtlError: for what would not be proven rightly: a port of both ways, a memory, a latch,
            registers of several clocks, and a clock that is no input.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        self.ports: dict[str, dict[str, Any]] = module["ports"]
        self.cells: dict[str, dict[str, Any]] = module["cells"]
        self._names = module["netnames"]
        for name, port in self.ports.items():
            if port["direction"] == "inout":
                raise RtlError(f"{name} is an inout, which is not carried: give it two ports")
        memories = [*module.get("memories", {}), *self._memories()]
        if memories:
            raise RtlError(f"{memories[0]} is a memory, which is not carried: use a case")
        for cell in self.cells.values():
            if cell["type"] in LATCHES:
                raise RtlError(f"{self._named(cell['connections']['Q'][0])} is a latch{_at(cell)}")
        self.clock = self._clock()

    def widths(self, way: str) -> dict[str, int]:
        """The ``input`` or ``output`` ports by name."""
        return {n: len(p["bits"]) for n, p in self.ports.items() if p["direction"] == way}

    def register(self, cell: str) -> str | None:
        """What the source calls what a cell keeps."""
        if cell not in self.cells:
            return None
        name = self._named(self.cells[cell]["connections"]["Q"][0])
        return None if name.startswith("$") else name

    def depth(self, source: str, target: str) -> int | None:
        """The fewest registers on a way from an input to an output; none if there is no way."""
        ends, seen = set(self.ports[source]["bits"]), set()
        queue: list[tuple[int, int]] = [(0, b) for b in self.ports[target]["bits"] if _wire(b)]
        heapq.heapify(queue)
        while queue:
            registers, bit = heapq.heappop(queue)
            if bit in ends:
                return registers
            if bit in seen or bit not in self._drivers:
                continue
            seen.add(bit)
            cell = self._drivers[bit]
            further = registers + ("CLK" in cell["connections"])
            for b in _bits(cell, "input"):
                heapq.heappush(queue, (further, b))
        return None

    @cached_property
    def _drivers(self) -> dict[int, dict[str, Any]]:
        return {bit: cell for cell in self.cells.values() for bit in _bits(cell, "output")}

    def _memories(self) -> Iterator[str]:
        for cell in self.cells.values():
            if cell["type"].startswith("$mem"):
                yield str(cell["parameters"]["MEMID"]).lstrip("\\")

    def _clock(self) -> str | None:
        """The input that every register listens to, on one edge."""
        found: dict[tuple[Bit, str], dict[str, Any]] = {}
        for cell in self.cells.values():
            if "CLK" in cell["connections"]:
                edge = "posedge" if int(cell["parameters"]["CLK_POLARITY"], 2) else "negedge"
                found[cell["connections"]["CLK"][0], edge] = cell
        if not found:
            return None
        shown = sorted(f"{edge} {self._named(b)}{_at(cell)}" for (b, edge), cell in found.items())
        if len(shown) > 1:
            raise RtlError(f"one clock is carried, and these are two: {shown[0]}, {shown[1]}")
        bit = next(iter(found))[0]
        for name in self.widths("input"):
            if self.ports[name]["bits"] == [bit]:
                return name
        raise RtlError(f"the clock is no input of one bit: {shown[0]}")

    def _named(self, bit: Bit) -> str:
        """The wire that a bit is of."""
        names = [(n["hide_name"], name) for name, n in self._names.items() if bit in n["bits"]]
        return min(names)[1] if names else f"constant {bit}"


def _wire(bit: Bit) -> bool:
    return isinstance(bit, int)


def _bits(cell: Mapping[str, Any], way: str) -> Iterator[int]:
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == way and port != "CLK":
            yield from filter(_wire, bits)


def _at(cell: Mapping[str, Any]) -> str:
    """Where it is in the source."""
    found = re.match(r"[^|]*?:\d+", str(cell["attributes"].get("src", "")))
    return f" ({found[0]})" if found else ""
