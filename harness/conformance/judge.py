"""Put every sheet to one library, and sum up."""

from __future__ import annotations

import importlib.metadata
import math
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.conformance.levels import Level, exact_value
from harness.conformance.records import Cell, Count, Counterexample, Judgement
from harness.conformance.sheets import Sheet, mode_of
from harness.conformance.subject import Adapter, Subject, Unsupported
from harness.fixed import Fixed
from harness.golden.flags import FLAGS
from harness.golden.record import code_of
from harness.reference import decode
from harness.verify.compare import complexity
from harness.verify.engine import SubjectError, differing, rule_broken
from harness.verify.questions import unfold

__all__ = ["judged", "missing", "version_of"]


def judged(subject: Subject, sheets: Sequence[Sheet]) -> Judgement:
    """Hold one library against every sheet."""
    blank = missing(subject)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a library's warnings are not ours to show
        try:
            adapter = subject.load()
        except ImportError:
            return blank
        tally = _Tally()
        for sheet in sheets:
            for level in dict.fromkeys(sheet.levels):
                tally.ask(adapter, sheet, level)
    return replace(
        blank,
        version=version_of(subject.distribution),
        counts=dict(tally.counts),
        counterexamples=tally.examples,
        raised=dict(tally.raised),
        unsupported=dict(tally.unsupported),
    )


def missing(subject: Subject) -> Judgement:
    """The judgement of a library that is not installed."""
    return Judgement(
        subject.name,
        subject.distribution,
        None,
        subject.call,
        subject.promise,
        {},
        remarks=subject.remarks,
    )


def version_of(distribution: str) -> str:
    """The version that is installed; empty for a function of the user's own."""
    if not distribution:
        return ""  # a function of the user's own
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "from its sources"


@dataclass
class _Tally:
    """One library's counts, while they grow."""

    counts: dict[Cell, Count] = field(default_factory=lambda: defaultdict(Count))
    raised: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)
    kinds: dict[tuple[Level, str], tuple[Any, Counterexample]] = field(default_factory=dict)

    def ask(self, adapter: Adapter, sheet: Sheet, level: Level) -> None:
        """Ask about the cases of one level."""
        t = sheet.group.target
        places = np.array([k for k, one in enumerate(sheet.levels) if one is level])
        cell = Cell(sheet.family, sheet.path, mode_of(t), level)
        x = sheet.x
        some = Fixed(x.codes[places], x.type) if isinstance(x, Fixed) else x[places]
        expected = sheet.expected[places]
        try:
            wrong, got = differing(adapter(some, t), expected, t)
        except Unsupported as why:
            self.unsupported[str(why)] += places.size
            return
        except SubjectError:
            raise  # no answer at all: an error of the adapter's
        except Exception as error:  # a library may raise anything, and that is an answer too
            self.raised[f"{type(error).__name__}: {error}".splitlines()[0][:100]] += places.size
            self.counts[cell] += Count(raised=places.size)
            return
        self.counts[cell] += Count(places.size, wrong.size)
        for k in wrong.tolist():
            self._differs(sheet, level, int(places[k]), got[k], unfold(expected[k], t))

    def _differs(self, sheet: Sheet, level: Level, place: int, got: Any, expected: int) -> None:
        """Count a difference under its kind, and keep the simplest."""
        case, t = sheet.group.cases[place], sheet.group.target
        value = exact_value(case.inputs[0], sheet.source)
        rule = _rule(case.flags, value, t)
        mine, count = (*complexity(value), t.width), 1
        if (level, rule) in self.kinds:
            known, example = self.kinds[level, rule]
            count += example.count
            if known <= mine:
                self.kinds[level, rule] = known, replace(example, count=count)
                return
        input_ = code_of(case.inputs[0], sheet.source)
        is_float = isinstance(input_, float)
        shown = Counterexample(
            level=level,
            rule=rule,
            path=sheet.path,
            type=str(t),
            input=input_.hex() if is_float else f"code {input_} of {sheet.source}",
            value=repr(input_) if is_float else _number(value),
            got=_answer(got, t),
            expected=expected,
            expected_value=_number(decode(expected, t)),
            count=count,
        )
        self.kinds[level, rule] = mine, shown

    @property
    def examples(self) -> tuple[Counterexample, ...]:
        """The counterexamples, the easiest level first, then those that stand for most."""
        levels = list(Level)
        found = (example for _, example in self.kinds.values())
        return tuple(sorted(found, key=lambda e: (levels.index(e.level), -e.count, e.rule)))


def _rule(flags: Sequence[str], value: Any, t: Any) -> str:
    quirks = [flag for flag in flags if flag.startswith("quirk:")]
    if quirks and value is not None:
        return FLAGS[quirks[0]]
    return rule_broken(value, t)


def _answer(got: Any, t: Any) -> str:
    """A wrong answer: a code of the type with its value, or a value that the type has not."""
    if isinstance(got, (int, np.integer)):
        try:
            return _number(decode(unfold(got, t), t))
        except (ValueError, KeyError):
            return f"code {got}"
    return f"{float(got)!r}, not a value of the type"


def _number(value: Any) -> str:
    """An exact number, short where a float is exact."""
    number = float(value)
    return repr(number) if not math.isfinite(number) or number == value else str(value)
