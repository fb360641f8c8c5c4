"""Sheets of cases: the committed golden vectors, and ``verify``'s cases answered by the headers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from harness.conformance.levels import Level, level_of
from harness.fixed import Fixed
from harness.golden.answer import Question, answered, kernels_of
from harness.golden.files import golden_directory
from harness.golden.plan import MINIFLOATS
from harness.golden.record import NUMBERS, Column, Group, Number, columns_for, word_of
from harness.golden.replay import committed
from harness.oracle import Oracle
from harness.report.update import Update
from harness.types import FORMATS, ApFixed, Binary, FloatRounding, MiniFloat, Overflow, Rounding
from harness.verify import cases
from harness.verify.float_cases import float_doubles_for
from harness.verify.float_questions import family

__all__ = ["PATHS", "Sheet", "fresh", "golden", "mode_of"]

#: The ways into a type that libraries are asked about.
PATHS = ("double", "float", "cast")
#: Cases of each fresh sheet, about.
SIZE = 240
#: Shapes that most libraries have, in every mode; and others, in every rounding and overflow.
SHAPES = (ApFixed(8, 3), ApFixed(8, 3, False), ApFixed(16, 6))
MORE_SHAPES = (
    ApFixed(6, -2),
    ApFixed(6, 9),
    ApFixed(12, 12),
    ApFixed(20, 8),
    ApFixed(4, 0, False),
    ApFixed(32, 12),
)


@dataclass(frozen=True)
class Sheet:
    """Cases of one way into one type.

    Attributes:
        origin: the file of golden vectors, or ``fresh``.
        group: the cases.
    """

    origin: str
    group: Group

    @property
    def source(self) -> Column:
        """The type of the inputs."""
        (source,) = self.group.sources.values()
        return source

    @property
    def path(self) -> str:
        """One of :data:`PATHS`."""
        return str(self.source) if isinstance(self.source, Number) else "cast"

    @property
    def family(self) -> str:
        """The family of the type: ``fixed``, ``minifloat``, ``ieee``, ``vitis`` or ``binary``."""
        t = self.group.target
        if isinstance(t, ApFixed):
            return "fixed"
        return "binary" if isinstance(t, Binary) else family(t)

    @cached_property
    def x(self) -> Any:
        """The inputs: float64 or float32, or a ``Fixed``."""
        codes = self.group.codes(next(iter(self.group.sources)))
        return Fixed(codes, self.source) if isinstance(self.source, ApFixed) else codes

    @cached_property
    def expected(self) -> Any:
        """The codes."""
        return self.group.codes("expected")

    @cached_property
    def levels(self) -> list[Level]:
        """The level of each case."""
        return [level_of(case, self.source, self.group.target) for case in self.group.cases]


def mode_of(t: Any) -> str:
    """Rounding and overflow, as the report has them."""
    if isinstance(t, Binary):
        return str(t)
    if not isinstance(t, ApFixed):
        return f"{t.rounding}/{t.overflow}" + ("" if t.subnormals else "/no subnormals")
    return f"{t.rounding.name}/{t.overflow.name}" + (" N>0" if t.n else "")


def golden() -> Iterator[Sheet]:
    """The committed vectors of conversions: from floats, and between types of 64 bits.

    Raises:
        GoldenError: if a file is missing or was changed.
    """
    for name, truth in committed(golden_directory()).items():
        if name != "divergences.json":  # somebody's known differences: no fair sample
            yield from (Sheet(name, group) for group in truth.groups if _asked(group))


def _asked(group: Group) -> bool:
    if group.operation not in ("convert", "cast") or group.target.width > 64:
        return False
    (source,) = group.sources.values()
    if isinstance(source, Number):
        return source.cpp in PATHS
    return isinstance(source, ApFixed) and source.width <= 64


def fresh(oracle: Oracle, seed: int, progress: Update = lambda *_: None) -> Iterator[Sheet]:
    """``verify``'s cases for types that libraries have, in every mode, answered by C++ or MPFR.

    Args:
        oracle: the headers.
        seed: of the inputs.
        progress: told of what is compiled.

    Raises:
        OracleError: if there is no compiler.
    """
    questions = list(_questions(seed))
    kernels = [kernel for question in questions for kernel in kernels_of(question)]
    done = 0
    for group in oracle.compile(kernels):
        done += len(group)
        progress(done, len(set(kernels)), "compiling")
    for k, question in enumerate(questions):
        progress(k, len(questions), "asking the headers")
        yield Sheet("fresh", answered(question, k, oracle))


def _questions(seed: int) -> Iterator[Question]:
    for k, t in enumerate(_fixed_types()):
        rng = np.random.default_rng([seed, k])
        x = cases.doubles_for(t, SIZE, rng, exhaustive_width=0)
        yield from _from_floats(x, t, rng)
        source = ApFixed(t.width + 5, t.integer + 2, t.signed or k % 2 == 0)
        codes = cases.codes_for(source, t, 4 * SIZE, rng)
        yield _question(source, t, rng.choice(codes, min(SIZE, codes.size), replace=False))
    for k, t in enumerate(_float_types()):
        rng = np.random.default_rng([seed, k, 1])
        yield from _from_floats(float_doubles_for(t, 4 * SIZE, rng, exhaustive_width=6), t, rng)


def _from_floats(x: Any, t: Any, rng: np.random.Generator) -> Iterator[Question]:
    chosen = np.concatenate([cases.SPECIALS, rng.choice(x, min(SIZE, x.size), replace=False)])
    if getattr(t, "nan_code", 0) is None:
        chosen = chosen[~np.isnan(chosen)]
    with np.errstate(over="ignore", under="ignore"):
        yield _question(NUMBERS["double"], t, chosen)
        yield _question(NUMBERS["float"], t, chosen.astype(np.float32))


def _question(source: Column, t: Any, inputs: Any) -> Question:
    operation = "convert" if isinstance(source, Number) else "cast"
    words = dict.fromkeys(word_of(x, source) for x in inputs.tolist())
    return Question(operation, columns_for(operation, [source], t), (tuple(words),))


def _fixed_types() -> Iterator[ApFixed]:
    roundings = [rounding for rounding in Rounding if not rounding.stochastic]
    for t, rounding, overflow in itertools.product(SHAPES, roundings, Overflow):
        if t.signed or overflow is not Overflow.WRAP_SM:  # the headers end the process there
            yield t.with_modes(rounding=rounding, overflow=overflow)
    for t in MORE_SHAPES:
        yield from (t.with_modes(rounding=r, overflow=Overflow.SAT) for r in roundings)
        for overflow in (Overflow.WRAP, Overflow.SAT_SYM, Overflow.SAT_ZERO):
            yield t.with_modes(rounding=Rounding.RND_CONV, overflow=overflow)
    for overflow in (Overflow.WRAP, Overflow.WRAP_SM):
        yield ApFixed(8, 3, rounding=Rounding.RND, overflow=overflow, n=2)


def _float_types() -> Sequence[Any]:
    found: list[Any] = [t for t in FORMATS.values() if t.width < 32]
    roundings = [rounding for rounding in FloatRounding if not rounding.stochastic]
    for name in ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn"):
        t = FORMATS[name]
        found += [t.with_modes(rounding=rounding) for rounding in roundings]
        found.append(t.with_modes(overflow="saturate"))
    known: tuple[MiniFloat, ...] = MINIFLOATS
    return list(dict.fromkeys([*found, *known]))
