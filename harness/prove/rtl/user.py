"""A user's own cast in RTL, proven or refuted: combinational, or a pipeline of a fixed latency.

A pipeline starts in *any* state, takes the value at step 0 and anything at every other step, and
has its code at step L.  So a proof needs no reset, and holds at every moment of every run.  A
module that is right only from the states that its reset leads to is refuted; inputs that have to
stay at a value, such as a reset at rest and an enable, are held at it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from harness.prove import evaluate
from harness.prove.law import fixed
from harness.prove.record import Certificate, Outcome
from harness.prove.rtl.design import Module
from harness.prove.rtl.model import Model, State
from harness.prove.rtl.simulated import simulated
from harness.prove.rtl.yosys import RtlError
from harness.prove.solve import SECONDS, Claim, Pair, decide
from harness.prove.terms import Truth, Word
from harness.types import ApFixed, Rounding, as_fixed_type, check_cast

__all__ = ["Ports", "RtlProof", "prove_rtl", "rtl_claim"]

#: Latencies that are tried if none is named.
LATENCIES = range(17)
#: Steps of VHDL that are simulated.
STEPS = 256


@dataclass(frozen=True)
class Ports:
    """What a caller says of a module's ports.

    Attributes:
        input: where the value comes in; if not said, the one input that has its width.
        output: where the code comes out; likewise.
        clock: an input that is the clock, if no register tells.
        hold: inputs that keep a value at every step, such as ``{"rst": 0, "en": 1}``.
    """

    input: str | None = None
    output: str | None = None
    clock: str | None = None
    hold: Mapping[str, int] | None = None


@dataclass(frozen=True)
class RtlProof:
    """What became of a user's module.

    Attributes:
        certificate: of the latency below.  Its inputs are the value by the name of its port, and
            in a pipeline ``en@1`` for what comes at another step, ``q@start`` for registers.
        latency: steps from the value to its code.
        elsewhere: if that is not proven, another latency that is.
        ports: those of the value, of the code, and the clock's, as they were found.
        left_open: if refuted, whether the module may be right at this input too, because its code
            depends on what is x or z or has no driver.
        simulated: steps of VHDL whose simulation was held against what is proven of its synthesis;
            0 if its ports have types that we do not simulate.
    """

    certificate: Certificate
    latency: int
    elsewhere: int | None
    ports: Ports
    left_open: bool
    simulated: int = 0


def rtl_claim(
    module: Module,
    source: ApFixed | str,
    target: ApFixed | str,
    *,
    latency: int = 0,
    ports: Ports | None = None,
) -> Claim:
    """That a module's output has the code of the definition, for all codes of its input.

    Args:
        module: as :func:`~harness.prove.rtl.read_rtl` reads it.
        source: the type at the input, or its spelling.
        target: the type at the output.
        latency: edges of the clock from the value to its code.
        ports: what they are.

    Raises:
        RtlError: if a port is missing, is not the only one it could be, or has another width than
            its type.
        ValueError: for a cast that the headers leave undefined, or a rounding by chance.
    """
    return _Question(module, source, target, ports or Ports()).asked(latency).claim


def prove_rtl(
    module: Module,
    source: ApFixed | str,
    target: ApFixed | str,
    *,
    latency: int | None = 0,
    ports: Ports | None = None,
    seconds: float = SECONDS,
    keep: bool = False,
) -> RtlProof:
    """Prove or refute :func:`rtl_claim`.

    Args:
        module: as there.
        source: as there.
        target: as there.
        ports: as there.
        latency: as there; ``None`` begins with the fewest registers between input and output and
            looks for one that is proven, up to 16.  If none is, that is refuted which would be
            right if the value stayed at the input.
        seconds: that the solver may take for each latency.
        keep: whether the certificate has the question as SMT-LIB text.

    Raises:
        RtlError: as :func:`rtl_claim` does, and if GHDL simulates a module of VHDL otherwise than
            it synthesises it, so that nothing is known.
        ValueError: as :func:`rtl_claim` does.
    """
    question = _Question(module, source, target, ports or Ports())
    named = question.depth if latency is None else latency
    asked = question.asked(named)
    certificate, elsewhere = decide(asked.claim, seconds, keep=keep), None
    if certificate.outcome is Outcome.REFUTED:
        elsewhere = question.proven_at(named, seconds)
    if certificate.outcome is Outcome.REFUTED and latency is None:
        named, elsewhere = question.nearest(seconds) if elsewhere is None else elsewhere, None
        asked = question.asked(named)
        certificate = decide(asked.claim, seconds, keep=keep)
    left_open = certificate.outcome is Outcome.REFUTED and asked.may_be_right(certificate, seconds)
    steps = question.simulated(certificate, named, left_open) if module.sources.vhdl else 0
    return RtlProof(certificate, named, elsewhere, question.ports, left_open, steps)


class _Question:
    """A module, its types, and which port is what."""

    def __init__(
        self, module: Module, source: ApFixed | str, target: ApFixed | str, ports: Ports
    ) -> None:
        self.source, self.target = as_fixed_type(source), as_fixed_type(target)
        check_cast(self.source, self.target)
        if not isinstance(self.target.rounding, Rounding):
            raise ValueError(f"{self.target} rounds by chance, so no code is the right one")
        self.module, self.model = module, Model(module.smt, module.name)
        self.clock = module.netlist.clock
        if ports.clock is not None:
            self.clock = module.port(ports.clock, "input")
            if module.netlist.clock not in (None, self.clock):
                raise RtlError(f"the clock is {module.netlist.clock}, not {self.clock}")
        self.hold = {module.port(n, "input"): v for n, v in (ports.hold or {}).items()}
        widths = module.netlist.widths("input")
        for name, value in self.hold.items():
            if not 0 <= value < 1 << widths[name]:
                raise RtlError(f"{name} has {_bits(widths[name])}, which cannot hold {value}")
        self.inputs = {n: w for n, w in widths.items() if n != self.clock and n not in self.hold}
        self.input = self._port(ports.input, "input", self.inputs, self.source)
        outputs = module.netlist.widths("output")
        self.output = self._port(ports.output, "output", outputs, self.target)
        self._asked = 0

    def _port(self, name: str | None, way: str, known: Mapping[str, int], t: ApFixed) -> str:
        """The port of a type: the one that was named, or the only one of its width."""
        if name is not None:
            name = self.module.port(name, way)
            if name not in known:
                raise RtlError(f"{name} is held, or the clock, so it is not the value")
            fit = [name] if known[name] == t.width else []
        else:
            fit = [n for n, width in known.items() if width == t.width]
        if len(fit) == 1:
            return fit[0]
        shown = ", ".join(f"{n} has {_bits(w)}" for n, w in known.items() if name in (None, n))
        if not fit:
            raise RtlError(f"no {way} has the {_bits(t.width)} of {t}: {shown or 'there is none'}")
        raise RtlError(f"several {way}s have the {_bits(t.width)} of {t}; name one: {shown}")

    @property
    def ports(self) -> Ports:
        """What was found."""
        return Ports(self.input, self.output, self.clock, self.hold)

    @property
    def depth(self) -> int:
        """The fewest registers that a value passes: it cannot come out earlier."""
        return self.module.netlist.depth(self.input, self.output) or 0

    def proven_at(self, named: int, seconds: float) -> int | None:
        """Another latency that is proven."""
        if self.module.netlist.clock is None:
            return 0 if named and self._proven(0, seconds) else None
        others = (n for n in LATENCIES if n != named and n >= self.depth)
        return next((n for n in others if self._proven(n, seconds)), None)

    def nearest(self, seconds: float) -> int:
        """The latency that is proven if the value stays as it is, else the least that there is."""
        tried = LATENCIES if self.module.netlist.clock is not None else ()
        steady = (n for n in tried if n >= self.depth and self._proven(n, seconds, steady=True))
        return next(steady, self.depth)

    def _proven(self, latency: int, seconds: float, steady: bool = False) -> bool:
        return decide(self.asked(latency, steady).claim, seconds).outcome is Outcome.PROVEN

    def asked(self, latency: int, steady: bool = False) -> _Asked:
        """The claim of a latency, from any state; or for a value that stays."""
        if latency < 0:
            raise RtlError(f"the latency must be 0 or more, not {latency}")
        self._asked += 1
        steps = [State(self.model, f"run{self._asked}@{k}") for k in range(latency + 1)]
        given = [a.before(b) for a, b in pairwise(steps)]
        given += [step[name] == value for step in steps for name, value in self.hold.items()]
        value, first, last = steps[0][self.input], steps[0], steps[-1]
        if steady:
            given += [step[self.input] == value for step in steps[1:]]
        inputs = {self.input: value}
        for name in self.inputs:
            for k, step in enumerate(steps):
                if (name, k) != (self.input, 0):
                    inputs[f"{name}@{k}" if latency else name] = step[name]
        for k, (name, cell) in enumerate(self.model.registers.items()):
            shown = self.module.netlist.register(cell) or f"register {k}"
            inputs[f"{shown}@start"] = first[name]
        law = fixed.cast(value, self.source, self.target)
        after = f" after {latency} step{'s' * (latency > 1)}" if latency else ""
        question = f"{self.source} to {self.target}{after}"
        pair = Pair(self.output, last[self.output], law)
        return _Asked(Claim(question, self.module.name, inputs, [pair], given))

    def simulated(self, found: Certificate, latency: int, left_open: bool) -> int:
        """Hold a run of VHDL against what was found of its synthesis; how many steps it had."""
        if found.outcome is Outcome.PROVEN:
            steps = self._steps(latency + STEPS)
        elif found.outcome is Outcome.REFUTED and self.clock is None and not left_open:
            steps = [{**self.hold, **found.inputs}]
        else:
            return 0
        netlist = self.module.netlist
        answers = simulated(self.module.sources, netlist, steps, self.output)
        if answers is None:
            return 0
        for step, answer in zip(steps, answers[latency:], strict=False):
            right = found.codes[0] if found.codes else self._code(step[self.input])
            if answer != f"{right:0{self.target.width}b}":
                raise RtlError(
                    f"GHDL synthesises {self.module.name} otherwise than it simulates it: of "
                    f"{self.input} = {step[self.input]:#x} it makes {right:#x}, which is "
                    f"{answer} in a simulation; nothing is proven"
                )
        return len(steps)

    def _steps(self, count: int) -> list[dict[str, int]]:
        """Inputs by chance, the same ones for the same ports; the value's ends among them."""
        draw = random.Random(repr(sorted(self.inputs.items())))
        steps = [{n: draw.getrandbits(w) for n, w in self.inputs.items()} for _ in range(count)]
        top = 1 << (self.source.width - 1)
        for step, code in zip(steps, (0, 1, top - 1, top, 2 * top - 1), strict=False):
            step[self.input] = code % (2 * top)
        return [{**step, **self.hold} for step in steps]

    def _code(self, code: int) -> int:
        """What the law makes of one code."""
        return evaluate.value(
            fixed.cast(Word.of(code, self.source.width), self.source, self.target)
        )


@dataclass(frozen=True)
class _Asked:
    claim: Claim

    def may_be_right(self, found: Certificate, seconds: float) -> bool:
        """Whether, at the input that refutes the claim, the right code is possible too."""
        here: list[Truth] = [word == found.inputs[name] for name, word in self.claim.inputs.items()]
        pair = self.claim.pairs[0]
        wrong = Pair(pair.name, (pair.subject == pair.law).word(), Word.of(0, 1))
        again = Claim(
            self.claim.question,
            self.claim.subject,
            self.claim.inputs,
            [wrong],
            [*self.claim.given, *here],
        )
        return decide(again, seconds).outcome is Outcome.REFUTED


def _bits(width: int) -> str:
    return f"{width} bit{'s' * (width > 1)}"
