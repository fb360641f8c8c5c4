"""Calls of a hardware module as a testbench of plain SystemVerilog, which needs nothing of ours.

Its cycles are in :mod:`harness.cosim.hdl.testbench_calls`; here are its nets and its codes.
"""

from __future__ import annotations

import itertools
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.cosim.hdl.arguments import Part
from harness.cosim.hdl.build import Ports, Question, ports_of
from harness.cosim.hdl.ports import Design, Wire
from harness.cosim.hdl.testbench_calls import CALLS, Calling, escaped, kept, task_of
from harness.types import ApFixed, NumberType

__all__ = ["testbench"]

Codes = Mapping[str, Any]
#: The module; other names of ours begin with ``tb_``, and all that do not are the user's.
TOP = "harness_tb"
#: Not every simulator reads decimal constants of more bits.
DECIMAL = 32


def testbench(
    question: Question, count: int, inputs: Codes, answers: Codes | None, file: str
) -> str | None:
    """The text of a testbench that makes calls, from reset on, and prints the codes that come out.

    Args:
        question: the design, and how it is run.
        count: how many calls.
        inputs: codes of each argument, with a leading axis of calls.
        answers: what the design gave, likewise, which is expected; ``None`` if it did not come
            back: what is not valid is then X, which shows where an X comes from.
        file: how the testbench will be called, for the command in its first lines.

    Returns:
        ``None`` for what is not carried: VHDL, memories, streams, and arrays under ``ap_ctrl_hs``.
    """
    if question.design.vhdl:
        return None
    with tempfile.TemporaryDirectory(prefix="harness-ports-") as scratch:
        ports = ports_of(question, Path(scratch))
    layout = ports.layout
    arrays = layout.protocol != "ap_ctrl_hs"
    carried = all(
        p.kind in ("input", "output") and (arrays or not p.port.shape) for p in layout.parts
    )
    if layout.protocol not in CALLS or not carried:
        return None
    bench = _Bench(question, ports, count, inputs, answers)
    lines = [*bench.nets(), *bench.tasks(), *bench.run()]
    heading = "".join(f"// {line}\n" for line in _commands(question.design, file))
    body = "".join(f"  {line}\n" for line in lines)
    return f"{heading}`timescale 1ns / 1ps\n\nmodule {TOP};\n{body}endmodule\n"


def _commands(design: Design, file: str) -> Iterator[str]:
    """What it is, and how Icarus and Verilator run it."""
    folders = list(map(str, dict.fromkeys([*design.include, *(f.parent for f in design.files)])))
    searched = [*(f"-I{f}" for f in folders), *(f"-D{macro}" for macro in design.defines)]
    libraries = [word for f in folders for word in ("-y", f)]
    files = [file, *map(str, design.files)]
    icarus = ["iverilog", "-g2012", "-s", TOP, "-o", "tb.vvp", *searched, *libraries, *files]
    verilator = ["verilator", "--binary", "-Wno-fatal", "-Wno-lint", "--top-module", TOP]
    yield f"{design.top} on the inputs on which it differs; prints codes, as it gave them to us."
    yield f"{shlex.join(icarus)} && vvp -n tb.vvp"
    # A comment that begins with `verilator` would be a directive.
    yield f"or: {shlex.join([*verilator, *searched, *files])} && obj_dir/V{TOP}"


def _signed(t: NumberType) -> bool:
    return isinstance(t, ApFixed) and t.signed


def _kind(t: NumberType) -> str:
    return f"{'s' if _signed(t) else 'u'}{t.width}"


def _literal(code: int, t: NumberType) -> str:
    sign = "s" if _signed(t) else ""
    if t.width > DECIMAL or (code < 0 and not sign):
        return f"{t.width}'{sign}h{code & ((1 << t.width) - 1):x}"
    return f"{'-' if code < 0 else ''}{t.width}'{sign}d{abs(code)}"


def _elements(wire: Wire) -> list[str]:
    """The elements of an unpacked array in C order; a port that is none is its only one."""
    indices = itertools.product(*(range(min(r), max(r) + 1) for r in wire.ranges))
    return [escaped(wire.name) + "".join(f"[{i}]" for i in index) for index in indices]


def _element(wire: Wire, k: int) -> str:
    return escaped(f"tb_{wire.name}_{k}")


def _steps(part: Part, places: list[str], codes: Any) -> Iterator[str]:
    """Statements that give, or show, the codes of an argument in one call."""
    t = part.port.type
    assert t is not None
    words = [""] * len(places) if codes is None else [_literal(int(c), t) for c in np.ravel(codes)]
    for place, word, index in zip(places, words, np.ndindex(part.port.shape), strict=True):
        label = part.port.name + "".join(f"[{i}]" for i in index)
        want = f", {word}" if word else ""
        shown = f'tb_show_{_kind(t)}(k, "{label}", {place}{want});'
        yield f"{place} = {word};" if part.kind == "input" else shown


@dataclass(frozen=True)
class _Bench:
    """The text in the making; see :func:`testbench`."""

    question: Question
    ports: Ports
    count: int
    inputs: Codes
    answers: Codes | None

    def nets(self) -> Iterator[str]:
        """A net of its name for each port, and the module between them."""
        pins, layout, design = [], self.ports.layout, self.question.design
        for wire in self.ports.wires:
            if wire.name in layout.ties:
                bits = layout.ties[wire.name] & ((1 << wire.width) - 1)
                pins.append(f".{escaped(wire.name)}({wire.width}'h{bits:x})")
                continue
            elements = self.ports.elements.get(wire.name)
            ranges = "" if elements else "".join(f" [{a}:{b}]" for a, b in wire.ranges)
            begins = " = 0" if wire.goes_in and not ranges else ""
            bits_of = f" [{wire.width - 1}:0]" if wire.width > 1 else ""
            variable = wire.goes_in and not ranges
            kind = ("logic" if variable else "wire") + (" signed" if wire.signed else "")
            for name in map(escaped, elements or [wire.name]):
                yield f"{kind}{bits_of} {name}{ranges}{begins};"
                pins.append(f".{name}({name})")
            # Verilator 5.006 does not pass on what is assigned to an element in a task.
            for k, element in enumerate(_elements(wire) if wire.goes_in and ranges else ()):
                own = _element(wire, k)
                yield f"logic{bits_of} {own} = 0; assign {element} = {own};"
        given = ", ".join(f".{escaped(n)}({v})" for n, v in design.literals.items())
        yield f"{escaped(design.top)} {f'#({given}) ' if given else ''}tb_dut ({', '.join(pins)});"
        for part in layout.parts:
            if part.kind == "output" and layout.protocol == "ap_ctrl_hs":
                yield f"logic [{part.width - 1}:0] {kept(part)};"
        yield "integer tb_t, tb_since = 0, tb_done = 0, tb_wrong = 0;"

    def tasks(self) -> Iterator[str]:
        """Tasks that give and see the codes of call ``k``; -1 gives what is not valid."""
        parts = self.ports.layout.parts
        types = {_kind(t): t for p in parts if p.kind == "output" and (t := p.port.type)}
        for t in types.values():
            yield from self._showing(t)
        for part in parts:
            goes_in, places = part.kind == "input", self._places(part)
            codes = self.inputs if goes_in else self.answers
            yield from [f"task {task_of(part)}(input integer k);", "  case (k)"]
            for k in range(self.count):
                steps = _steps(part, places, None if codes is None else codes[part.port.name][k])
                yield f"    {k}: begin {' '.join(steps)} end"
            # An answer depends on nothing that is not valid: in three copies of the design it was
            # the same.  X would still spread further in a simulator than it does in hardware.
            fill = "'x" if self.answers is None else "'0"
            idle = " ".join(f"{place} = {fill};" for place in places)
            unasked = f'$display("{part.port.name} comes more often than it was called");'
            yield from [f"    default: begin {idle if goes_in else unasked} end", "  endcase"]
            yield "endtask"

    def _showing(self, t: NumberType) -> Iterator[str]:
        """A task that prints a code, and what it should be if it is not."""
        bits = f"{'signed ' if _signed(t) else ''}[{t.width - 1}:0]"
        want = "" if self.answers is None else f", input {bits} want"
        got = f"input integer k, input string what, input {bits} got"
        yield f"task tb_show_{_kind(t)}({got}{want});"
        yield '  $display("call %0d: %0s = %0d", k, what, got);'
        if want:
            yield "  if (got !== want) begin"
            yield '    $display("  expected: %0d", want);'
            yield "    tb_wrong = tb_wrong + 1;"
            yield "  end"
        yield "endtask"

    def _places(self, part: Part) -> list[str]:
        """The elements of an argument at their nets, in C order."""
        name, count = part.pins["data"], part.port.count
        if part.kind == "output" and self.ports.layout.protocol == "ap_ctrl_hs":
            return [kept(part)]
        if elements := self.ports.elements.get(name):
            return list(map(escaped, elements))
        wire = next(w for w in self.ports.wires if w.name == name)
        if wire.ranges and part.kind == "input":
            return [_element(wire, k) for k in range(count)]
        if wire.ranges or count == 1:
            return _elements(wire)
        width = wire.width // count
        return [f"{escaped(name)}[{k * width} +: {width}]" for k in range(count)]

    def run(self) -> Iterator[str]:
        """The calls, and the verdict."""
        how, layout = self.question.running, self.ports.layout
        calling = Calling(layout, self.count, how, [w.name for w in self.ports.wires])
        tasks, calls = CALLS[layout.protocol](calling)
        yield from [*calling.clock(), *tasks, "initial begin"]
        yield from (f"  {line}" for line in (*calling.begin(), *calls))
        if self.answers is not None:
            yield '  if (tb_wrong == 0) $display("as expected");'
            yield '  else $display("not as expected: %0d", tb_wrong);'
        yield from ["  $finish;", "end"]
