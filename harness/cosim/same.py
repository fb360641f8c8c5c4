"""Do two functions give the same numbers?  Inputs drawn by their types; the simplest difference."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, settings

from harness.cosim.answers import Answer, first_difference
from harness.cosim.draws import Drawing, every_call, flat_inputs, input_bits, leaves
from harness.cosim.errors import CosimError, RunError, SignatureError
from harness.cosim.numbers import values_of_codes
from harness.cosim.record import Compared, Difference
from harness.cosim.sides import Calls, FileSide, FunctionSide, Side, as_side
from harness.cosim.signature import Port, Signature
from harness.explain.fixed import explain, rows
from harness.types import ApFixed

__all__ = ["assert_same", "compare", "recorded"]

Array = np.ndarray[Any, Any]
#: Calls in a run, at most; a run of a stateful function begins with new statics.
RUN = 16
#: What a list of so many is long, at least on the average.
MEAN = 3


def assert_same(a: Any, b: Any, *, examples: int = 1000, seed: int | None = None) -> Compared:
    """Assert that two functions give the same numbers, bit for bit.

    Args:
        a: ``cpp(...)``, ``rtl(...)``, a Python callable over values, or a file of recorded calls.
        b: another; one of them has to know the types.
        examples: how many calls to compare; all inputs, if there are no more.  A function with
            static state is called in runs of up to 16, each from new statics.
        seed: other inputs than those of every day.

    Returns:
        What was compared.

    Raises:
        AssertionError: with the simplest inputs on which they differ.
        SignatureError: if they do not take and give the same.
    """
    __tracebackhide__ = True
    found = compare(a, b, examples=examples, seed=seed)
    if not found.agrees:
        raise AssertionError(str(found))
    return found


def compare(
    a: Any,
    b: Any,
    *,
    examples: int = 1000,
    seed: int | None = None,
    update: Callable[[int, int], object] | None = None,
) -> Compared:
    """What :func:`assert_same` asserts, as a record.  Raises ``SignatureError`` as it does."""
    if examples < 1:
        raise ValueError(f"examples must be at least 1, not {examples}")
    sides = (as_side(a), as_side(b))
    signature = _common(*sides)
    asked = _Asked(sides, Compared((sides[0].name, sides[1].name), signature), examples, update)
    recorded = next((s for s in sides if isinstance(s, FileSide)), None)
    if recorded is not None:
        calls = recorded.calls
        asked.batch(calls.inputs, calls.count)
    elif not signature.stateful and 1 << min(input_bits(signature), 63) <= examples:
        asked.found.every = True
        asked.batch(every_call(signature), 1 << input_bits(signature))
    else:
        _draw(asked, seed)
    for side in sides:
        if isinstance(side, FunctionSide) and (losses := side.function.counts()):
            asked.found.lost[side.name] = losses
    if asked.found.difference is not None:
        asked.found.difference = _explained(asked.found.difference)
    return asked.found


def recorded(side: Any, *, examples: int = 1000, seed: int | None = None) -> Calls:
    """Calls of a function with what it gives for them, drawn by its types; from new statics.

    Raises:
        SignatureError: if the side does not say what it takes.
        RunError: if it does not come back from one.
    """
    side = as_side(side)
    if side.signature is None:
        raise SignatureError(f"{side.name} does not say what types it takes: record C++ or RTL")
    drawing = Drawing(side.signature)
    rng = np.random.default_rng(seed or 0)
    inputs = drawing.batch([rng.bytes(drawing.size) for _ in range(examples)])
    side.reset()
    answers = side.answers(side.signature, inputs, examples)
    outputs = {p.name: a for p, a in zip(side.signature.outputs, answers, strict=True)}
    return Calls(side.signature, side.name, inputs, outputs)


def _explained(difference: Difference) -> Difference:
    """With the steps of a conversion, if the function is one: a number in, its cast out."""
    inputs, outputs = difference.signature.inputs, difference.signature.outputs
    if difference.port is None or len(inputs) != 1 or len(outputs) != 1:
        return difference
    source, target = inputs[0], outputs[0]
    if source.shape or source.stream or target.shape or target.stream:
        return difference
    if not (isinstance(source.type, ApFixed) and isinstance(target.type, ApFixed)):
        return difference
    if source.type.significand_bits > 53:
        return difference
    code = difference.calls[-1][source.name]
    steps = explain(float(values_of_codes(np.array([code]), source.type)[0]), target.type)
    if steps.code not in (answer.code for answer in difference.answers):
        return difference  # it is something else
    return replace(difference, account=tuple(rows(steps)))


@dataclass
class _Asked:
    """A comparison on its way."""

    sides: tuple[Side, Side]
    found: Compared
    examples: int
    update: Callable[[int, int], object] | None

    def batch(self, inputs: Mapping[str, Any], calls: int) -> Difference | None:
        """Compare some calls; notes the first difference."""
        signature = self.found.signature
        answers: list[Any] = []
        for place, side in enumerate(self.sides):
            if signature.stateful or side.signature is None:
                side.reset()
            try:
                answers.append(side.answers(signature, inputs, calls))
            except RunError as error:
                difference = self._silent(inputs, calls, place, error)
                self.found.difference = difference
                return difference
        self.found.count += calls
        self.found.seen.note(signature, inputs, answers)
        different = first_difference(signature, answers, self.sides, calls)
        self.found.difference = None
        if different is not None:
            call, port, where, both = different
            run = self._run(inputs, call)
            self.found.difference = Difference(run, port, where, both, signature)
        if self.update is not None:
            self.update(min(self.found.count, self.examples), self.examples)
        return self.found.difference

    def _run(self, inputs: Mapping[str, Any], call: int) -> tuple[dict[str, Array], ...]:
        """The calls that lead to one: itself, and those before it if there is state."""
        flat = flat_inputs(self.found.signature, inputs)
        first = 0 if self.found.signature.stateful else call
        return tuple({n: codes[k] for n, codes in flat.items()} for k in range(first, call + 1))

    def _silent(
        self, inputs: Mapping[str, Any], calls: int, place: int, error: RunError
    ) -> Difference:
        call = error.call if error.call is not None else calls - 1
        said = [Answer("answers"), Answer("answers")]
        said[place] = Answer(str(error))
        run = self._run(inputs, call)
        return Difference(run, None, "", (said[0], said[1]), self.found.signature)


class _Differs(Exception):  # it is caught here
    """The example at hand differs."""


def _draw(asked: _Asked, seed: int | None) -> None:
    """Let Hypothesis draw calls and shrink those that differ."""
    found = asked.found
    drawing = Drawing(found.signature)
    smallest: list[Difference] = []

    @settings(
        max_examples=max(1, -(-asked.examples // MEAN)) + 10,
        derandomize=seed is None,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @hypothesis.given(drawing.calls(RUN))
    def example(calls: list[bytes]) -> None:
        if found.count >= asked.examples and not smallest:
            return
        if asked.batch(drawing.batch(calls), len(calls)) is not None:
            assert found.difference is not None
            smallest.append(found.difference)
            raise _Differs

    if seed is not None:
        example = hypothesis.seed(seed)(example)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hypothesis.errors.HypothesisWarning)
            example()
    except _Differs:
        found.difference = smallest[-1]
    except hypothesis.errors.Flaky:
        raise CosimError(
            f"{found.names[0]} or {found.names[1]} answers the same inputs differently: "
            "state that reset() does not reset, memory that nobody has set, or chance"
        ) from None


def _common(a: Side, b: Side) -> Signature:
    """The signature that both sides have, or the one that has one.

    Raises:
        SignatureError: if they have different ones, or none.
    """
    known = [s for s in (a, b) if s.signature is not None]
    if not known:
        raise SignatureError(
            f"neither {a.name} nor {b.name} says what types it takes; one side must be cpp(...), "
            "rtl(...) or a file of calls"
        )
    first = known[0].signature
    assert first is not None
    if len(known) == 1:
        return first
    second = known[1].signature
    assert second is not None
    for what in ("inputs", "outputs"):
        mine, others = getattr(first, what), getattr(second, what)
        if len(mine) != len(others):
            raise SignatureError(
                f"{a.name} has {len(mine)} {what} ({_names(mine)}), "
                f"{b.name} {len(others)} ({_names(others)})"
            )
        for x, y in zip(mine, others, strict=True):
            if _grids(x) != _grids(y):
                raise SignatureError(f"{a.name} has {x}; {b.name} has {y}")
    return next((s for s in (first, second) if s.stateful), first)


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(p.name for p in ports) or "none"


def _grids(port: Port) -> Any:
    """The numbers of an argument, whatever rounding its type would do."""
    if port.stream and port.length is None:
        return (port.cpp, port.stream)
    return [
        ((t.width, t.frac, t.signed) if isinstance(t, ApFixed) else str(t), shape)
        for _, t, shape in leaves(port)
    ]
