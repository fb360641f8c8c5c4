"""The SystemVerilog and the C++ around a hardware module: plain ports, and parts at them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.cosim.hdl.arguments import Part
from harness.cosim.hdl.layout import Layout
from harness.cosim.hdl.ports import Design, Wire
from harness.cosim.signature import Port
from harness.types import ApFixed

__all__ = ["PREFIX", "Running", "driver", "shell"]

#: The class that Verilator makes.
PREFIX = "Vharness_rtl"


@dataclass(frozen=True)
class Running:
    """How a design is run; see :func:`harness.cosim.rtl`."""

    latency: int = 0
    interval: int = 1
    cycles: int = 10_000
    reset_cycles: int = 4
    stalls: int = 0
    copies: int = 3


def shell(
    design: Design, wires: Sequence[Wire], layout: Layout, elements: Mapping[str, Sequence[str]]
) -> str:
    """A module around the user's, whose ports have names that C++ can have.

    An array of any form is one of a single dimension, in C order.

    Args:
        design: the user's.
        wires: its ports.
        layout: what they are.
        elements: of an array that has a port for each, their names.
    """
    arrays = {p.pins["data"]: p for p in layout.parts if p.kind in ("input", "output")}
    ports: list[str] = []
    body: list[str] = []
    pins: list[str] = []
    for k, wire in enumerate(wires):
        name = f"p{k}"
        if wire.name in layout.ties:
            bits = layout.ties[wire.name] & ((1 << wire.width) - 1)
            pins.append(f".{_escaped(wire.name)}({wire.width}'h{bits:x})")
            continue
        part = arrays.get(wire.name)
        width, count = _elements(wire, part)
        dimension = f" [0:{count - 1}]" if count else ""
        ports.append(f"{wire.way} wire {_bits(width)}{name}{dimension}")
        joined = name
        if wire.name in elements:
            pins += [f".{_escaped(e)}({name}[{i}])" for i, e in enumerate(elements[wire.name])]
            continue
        if wire.ranges:
            joined = f"a{k}"
            body += _unpacked(wire, joined, name)
        elif count:
            joined = "{" + ", ".join(f"{name}[{i}]" for i in reversed(range(count))) + "}"
        pins.append(f".{_escaped(wire.name)}({joined})")
    given = ", ".join(f".{_escaped(n)}({v})" for n, v in design.literals.items())
    parameters = f" #({given})" if given else ""
    lines = [
        f"module harness_rtl({', '.join(ports)});",
        *(f"  {line}" for line in body),
        f"  {_escaped(design.top)}{parameters} dut({', '.join(pins)});",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _elements(wire: Wire, part: Part | None) -> tuple[int, int]:
    """The bits of an element of a port, and how many there are; 0 for what is no array."""
    if part is None or not part.port.shape:
        return wire.width, 0
    if wire.ranges:
        return wire.width, part.port.count
    return wire.width // part.port.count, part.port.count


def _bits(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _escaped(name: str) -> str:
    """A name that may be anything, as Verilog takes it."""
    return f"\\{name} "


def _unpacked(wire: Wire, inner: str, outer: str) -> Iterator[str]:
    """An unpacked array of the user's form, and its elements in C order."""
    ranges = "".join(f"[{left}:{right}]" for left, right in wire.ranges)
    sign = "signed " if wire.signed else ""
    yield f"wire {sign}{_bits(wire.width)}{inner} {ranges};"
    indices = itertools.product(*(range(min(r), max(r) + 1) for r in wire.ranges))
    for k, index in enumerate(indices):
        element = inner + "".join(f"[{i}]" for i in index)
        both = (element, f"{outer}[{k}]")
        to, source = both if wire.goes_in else reversed(both)
        yield f"assign {to} = {source};"


def driver(wires: Sequence[Wire], layout: Layout, how: Running, models: Sequence[str]) -> str:
    """The translation unit that calls the verilated design.

    Args:
        wires: the ports.
        layout: what they are.
        how: how it is run.
        models: Verilator's own sources, to be read with it.
    """
    names = {w.name: f"top.p{k}" for k, w in enumerate(wires)}
    parts = [_part(p, layout, names) for p in layout.parts]
    control = {role: f"&{names[wire]}" for role, wire in layout.control.items()}
    kinds = {"ap_ctrl_hs": "control", "stream": "control", "handshake": "transfers"}
    kind = kinds.get(layout.protocol, layout.protocol)
    reset_cycles = how.reset_cycles if "reset" in layout.control else 0
    numbers = (how.latency, how.interval, how.cycles, reset_cycles, how.stalls)
    how_text = ", ".join(map(str, numbers))
    includes = "".join(f'#include "{m}"\n' for m in models)
    listed = ",\n      ".join(parts)
    clock, reset, start, go_on = (
        control.get(role, "&nobody") for role in ("clock", "reset", "start", "go_on")
    )
    done, ready = (control.get(role, "&always") for role in ("done", "ready"))
    return f"""\
#include "{PREFIX}.h"
#if HARNESS_WAVES
#include HARNESS_WAVES_HEADER
#endif
{includes}#include "cosim_rtl.h"

using namespace harness::cosim::rtl;

static auto parts_of({PREFIX}& top) {{
  return std::make_tuple(
      {listed});
}}

static pins pins_of({PREFIX}& top) {{
  (void)top;
  return {{{clock}, {reset}, {int(not layout.reset_low)}, {start}, {done}, {ready}, {go_on}}};
}}

static const char* waves = nullptr;

static void harness_row(const std::int64_t*& from, std::int64_t*& to) {{
  using parts = decltype(parts_of(std::declval<{PREFIX}&>()));
  static const protocol how = {{protocol::{kind}, {how_text}}};
  static design<{PREFIX}, parts> all(how, parts_of, pins_of, {how.copies}, waves);
  all.batch(from, to);
}}

int main(int count, char** arguments) {{
#if HARNESS_WAVES
  static const std::string name = std::string(arguments[0]) + ".waves";
  waves = name.c_str();
#endif
  return harness::cosim::program(harness_row, count, arguments);
}}
"""


def _part(part: Part, layout: Layout, names: Mapping[str, str]) -> str:
    """A part, as C++ makes it."""
    port, pins = part.port, part.pins
    place = layout.signature.ports.index(port)

    def pin(role: str, otherwise: str) -> str:
        return f"&{names[pins[role]]}" if role in pins else f"&{otherwise}"

    if part.kind == "memory":
        return _memory(part, place, names)
    data, spot = names[pins["data"]], _spot(port, part, place)
    number = list(names).index(pins["valid"]) if "valid" in pins else 0

    def channel(valid: str, ready: str) -> str:
        return f"channel{{{pin('valid', valid)}, {pin('ready', ready)}, {number}}}"

    counted = str(layout.protocol == "stream").lower()
    if part.kind == "input":
        # Without a handshake, a transfer's input is always taken; a call's is never acknowledged.
        ready = "always" if layout.protocol == "handshake" else "never"
        return f"input({data}, {spot}, {channel('nobody', ready)})"
    if part.kind == "stream_in":
        final = pin("last", "nobody")
        return f"stream_in({data}, {spot}, {channel('nobody', 'always')}, {final}, {counted})"
    by = channel("always", "always")
    if part.kind == "output":
        taken = "now"
        if layout.protocol in ("ap_ctrl_hs", "stream"):
            taken = "valid" if "valid" in pins else "at_the_end"
        return f"output({data}, {spot}, {by}, when::{taken}, {counted})"
    ends = f"{pin('last', 'never')}, {str('last' in pins).lower()}, {counted}, {port.length or 0}"
    return f"stream_out({data}, {spot}, {by}, {ends})"


def _spot(port: Port, part: Part, place: int) -> str:
    width = 1 if port.type is None else port.type.width
    signed = isinstance(port.type, ApFixed) and port.type.signed
    bits = part.width if port.stream or part.kind == "memory" else width
    flag = str(signed).lower()
    return f'spot{{"{port.name}", {width}, {bits}, {flag}, {port.count}, {place}}}'


def _memory(part: Part, place: int, names: Mapping[str, str]) -> str:
    port, pins = part.port, part.pins
    data = names[next(pins[r] for r in ("q0", "q1", "d0", "d1") if r in pins)]
    banks = []
    for k in "01":
        if f"address{k}" not in pins:
            continue
        enable = f"&{names[pins[f'ce{k}']]}"
        write = f"&{names[pins[f'we{k}']]}" if f"we{k}" in pins else "&never"
        d, q = (f"&{names[pins[r]]}" if r in pins else f"none({data})" for r in (f"d{k}", f"q{k}"))
        banks.append(f"bank({names[pins[f'address{k}']]}, {enable}, {write}, {d}, {q})")
    ways = f"{str(port.goes_in).lower()}, {str(port.comes_out).lower()}"
    return f"memory({data}, {_spot(port, part, place)}, {ways}, {', '.join(banks)})"
