"""How a testbench makes its calls by each protocol, as the driver in ``cosim_rtl.h`` does.

Inputs change with the falling edge of the clock; outputs are looked at before the rising one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.cosim.hdl.arguments import Part
from harness.cosim.hdl.layout import Layout
from harness.cosim.hdl.program import Running

__all__ = ["CALLS", "Calling", "escaped", "kept", "task_of"]


def escaped(name: str) -> str:
    """A name as Verilog takes it; most are as they are."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"\\{name} "


def task_of(part: Part) -> str:
    """The task that gives, or sees, an argument."""
    return f"tb_{'give' if part.kind == 'input' else 'see'}_{_word(part.port.name)}"


def kept(part: Part) -> str:
    """Where what comes out during a call is, at its end."""
    return f"tb_kept_{_word(part.port.name)}"


def _word(name: str) -> str:
    return re.sub(r"\W", "_", name)


@dataclass(frozen=True)
class Calling:
    """What is called, how often, and how."""

    layout: Layout
    count: int
    how: Running
    wires: Sequence[str]

    @property
    def ins(self) -> list[Part]:
        """Arguments that go in."""
        return [p for p in self.layout.parts if p.kind == "input"]

    @property
    def outs(self) -> list[Part]:
        """Those that come out."""
        return [p for p in self.layout.parts if p.kind == "output"]

    def each(self, parts: Sequence[Part], call: str) -> str:
        """Statements that give, or see, arguments of a call."""
        return " ".join(f"{task_of(p)}({call});" for p in parts)

    def clock(self) -> Iterator[str]:
        """Tasks that are the halves of a cycle."""
        if clock := self.layout.control.get("clock"):
            yield f"task tb_low; begin {escaped(clock)} = 0; #5; end endtask"
            yield f"task tb_high; begin {escaped(clock)} = 1; #5; end endtask"

    def begin(self) -> Iterator[str]:
        """From power on to the first call."""
        control = self.layout.control
        if "clock" not in control:
            return
        yield self.each(self.ins, "-1")
        if "go_on" in control:
            yield f"{escaped(control['go_on'])} = 1;"
        if "reset" in control:
            reset, active = escaped(control["reset"]), int(not self.layout.reset_low)
            yield f"{reset} = {1 - active}; tb_low;  // so that the next is an edge"
            yield f"{reset} = {active};"
            yield f"repeat ({self.how.reset_cycles}) begin tb_low; tb_high; end"
            yield f"{reset} = {1 - active};"
        yield "tb_low;"


Lines = tuple[list[str], list[str]]


def _combinational(of: Calling) -> Lines:
    given, seen = of.each(of.ins, "tb_t"), of.each(of.outs, "tb_t")
    loop = f"for (tb_t = 0; tb_t < {of.count}; tb_t = tb_t + 1) begin"
    return [], [loop, f"  {given}", "  #10;", f"  {seen}", "end"]


def _pipelined(of: Calling) -> Lines:
    count, latency, interval = of.count, of.how.latency, of.how.interval
    due = f"(tb_t - {latency}) / {interval}"
    at = f"tb_t >= {latency} && (tb_t - {latency}) % {interval} == 0 && {due} < {count}"
    given = of.each(of.ins, f"tb_t / {interval}")
    return [], [
        f"for (tb_t = 0; tb_t < {count * interval + latency}; tb_t = tb_t + 1) begin",
        f"  if (tb_t % {interval} == 0 && tb_t < {count * interval}) begin {given} end",
        "  tb_low;",
        f"  if ({at}) begin {of.each(of.outs, due)} end",
        "  tb_high;",
        "end",
    ]


@dataclass(frozen=True)
class _Channel:
    """Arguments that go over together."""

    parts: tuple[Part, ...]
    luck: int  # of its pauses, as `channel::seed` has it; 0 for none

    @property
    def word(self) -> str:
        return _word(self.parts[0].port.name)

    def pin(self, role: str) -> str:
        name = self.parts[0].pins.get(role)
        return "" if name is None else escaped(name)

    @property
    def moves(self) -> str:
        return " && ".join(filter(None, map(self.pin, ("valid", "ready"))))

    def declared(self) -> str:
        luck = f" reg [31:0] tb_luck_{self.word} = {self.luck};" if self.luck else ""
        bits = f"reg tb_goes_{self.word} = 0, tb_moves_{self.word};"
        return f"integer tb_next_{self.word} = 0; {bits}{luck}"

    def goes(self, so_far: str) -> Iterator[str]:
        """Whether it goes on in this cycle, or pauses."""
        goes, luck = f"tb_goes_{self.word}", f"tb_luck_{self.word}"
        yield f"{goes} = {so_far};"
        if self.luck:
            steps = " ".join(
                f"{luck} = {luck} ^ ({luck} {by});" for by in ("<< 13", ">> 17", "<< 5")
            )
            yield f"if ({goes}) begin {steps} {goes} = {luck}[8]; end"


def _channels(of: Calling, parts: Sequence[Part]) -> list[_Channel]:
    groups: dict[tuple[str | None, str | None], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.pins.get("valid"), part.pins.get("ready")), []).append(part)

    def luck(valid: str | None) -> int:
        number = of.wires.index(valid) if valid in of.wires else 0
        return ((of.how.stalls * 64 + number) * 2654435761 | 1) % (1 << 32) if of.how.stalls else 0

    return [_Channel(tuple(group), luck(valid)) for (valid, _), group in groups.items()]


def _handshaken(of: Calling) -> Lines:
    """One transfer a call on each channel, as fast as the design takes them."""
    ins, outs = _channels(of, of.ins), _channels(of, of.outs)
    both, tasks = [*ins, *outs], list[str]()
    for c in both:
        number = f"tb_next_{c.word}"
        call = f"tb_goes_{c.word} ? {number} : -1"
        inwards = f"{c.pin('valid')} = tb_goes_{c.word}; {of.each(c.parts, call)}"
        outwards = f"{c.pin('ready')} = tb_goes_{c.word};" if c.pin("ready") else ""
        steps = [*c.goes(f"{number} < {of.count}" if c in ins else "1")]
        steps.append(inwards if c in ins else outwards)
        tasks += [c.declared(), f"task tb_drive_{c.word}; begin {' '.join(steps)} end endtask"]
    loop = ["tb_low;", "tb_since = tb_since + 1;"]
    for c in both:
        seen = "" if c in ins else f"{of.each(c.parts, f'tb_next_{c.word}')} "
        moved = f"tb_next_{c.word} = tb_next_{c.word} + 1; tb_since = 0;"
        loop.append(f"tb_moves_{c.word} = {c.moves};")
        loop.append(f"if (tb_moves_{c.word}) begin {seen}{moved} end")
    loop.append(f"tb_done = {of.count};")
    loop += [f"if (tb_next_{c.word} < tb_done) tb_done = tb_next_{c.word};" for c in both]
    loop.append("tb_high;")
    for c in both:
        # What is offered stays until it is taken.
        when = f"if (tb_moves_{c.word} || !tb_goes_{c.word}) " if c in ins else ""
        loop.append(f"{when}tb_drive_{c.word};")
    return tasks, [
        *(f"tb_drive_{c.word};" for c in both),
        f"while (tb_done < {of.count} && tb_since < {of.how.cycles}) begin",
        *(f"  {line}" for line in loop),
        "end",
        f"if (tb_done < {of.count}) {_hangs('tb_done', of)}",
    ]


def _hangs(call: str, of: Calling) -> str:
    what = f"call %0d: does not finish within {of.how.cycles} cycles"
    return f'begin tb_wrong = tb_wrong + 1; $display("{what}", {call}); end'


def _started(of: Calling) -> Lines:
    """One call after the other, from ap_start to ap_done."""
    control = of.layout.control
    start, done = escaped(control["start"]), escaped(control["done"])
    ready = escaped(control["ready"]) if "ready" in control else "1"

    def pins(parts: Sequence[Part], role: str, level: int) -> list[str]:
        return [f"{escaped(p.pins[role])} = {level};" for p in parts if role in p.pins]

    taken = [p for p in of.ins if {"valid", "ready"} <= set(p.pins)]
    loop = [f"tb_ready = {ready}; tb_done = {done};"]
    loop += [f"tb_took_{task_of(p)} = {escaped(p.pins['ready'])};" for p in taken]
    for p in of.outs:
        valid = escaped(p.pins["valid"]) if "valid" in p.pins else "tb_done"
        loop.append(f"if ({valid}) {kept(p)} = {escaped(p.pins['data'])};")
    loop += ["tb_high;", f"if (tb_ready) {start} = 0;"]
    loop += [f"if (tb_took_{task_of(p)}) {escaped(p.pins['valid'])} = 0;" for p in taken]
    begin = [*pins(of.ins, "valid", 1), *pins(of.outs, "ready", 1), f"{start} = 1;"]
    begin += [f"{kept(p)} = 0;" for p in of.outs]  # as in C++, what is not written is 0
    end = [*pins(of.ins, "valid", 0), *pins(of.outs, "ready", 0), f"{start} = 0;"]
    return ["reg tb_ready;", *(f"reg tb_took_{task_of(p)};" for p in taken)], [
        f"for (tb_t = 0; tb_t < {of.count}; tb_t = tb_t + 1) begin",
        f"  {of.each(of.ins, 'tb_t')} {' '.join(begin)}",
        "  tb_done = 0; tb_since = 0;",
        f"  while (tb_done !== 1 && tb_since < {of.how.cycles}) begin",
        "    tb_since = tb_since + 1;",
        "    tb_low;",
        *(f"    {line}" for line in loop),
        "  end",
        f"  if (tb_done !== 1) begin {_hangs('tb_t', of)} $finish; end",
        f"  {of.each(of.outs, 'tb_t')} {' '.join(end)}",
        "end",
    ]


#: Tasks, and statements that make the calls, for each protocol that a testbench speaks.
CALLS: dict[str, Callable[[Calling], Lines]] = {
    "combinational": _combinational,
    "pipeline": _pipelined,
    "handshake": _handshaken,
    "ap_ctrl_hs": _started,
}
