"""The judge is judged: planted faults are found, each on its level, and nothing else is."""

import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import ApFixed, quantize_codes
from harness.conformance.adapters import ours
from harness.conformance.judge import judged
from harness.conformance.levels import Level
from harness.conformance.records import Judgement
from harness.conformance.sheets import Sheet, golden
from harness.conformance.subject import Subject, Unsupported, floats, need
from harness.conformance.subjects import SUBJECTS, chosen
from harness.fixed import Fixed
from harness.quantize import cast_codes, decode
from harness.types import MiniFloat, Rounding
from harness.verify import SubjectError


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    """The committed vectors."""
    return list(golden())


def judgement(adapter: Callable[[Any, Any], Any], sheets: list[Sheet]) -> Judgement:
    """Of a planted subject."""
    return judged(Subject("planted", "", "planted", "nothing", adapter), sheets)


def test_ours_answers_every_vector(sheets: list[Sheet]) -> None:
    """The control: every vector of every family and path is answered, and none otherwise."""
    found = judgement(ours.quantize, sheets)
    assert found.total == (sum(len(sheet.levels) for sheet in sheets), 0, 0)
    assert found.counterexamples == ()
    assert {cell.level for cell in found.counts} == set(Level)


def test_values_are_answers_as_codes_are(sheets: list[Sheet]) -> None:
    """A library that returns floats is judged by the values they are."""

    def values(x: Any, t: Any) -> Any:
        need(isinstance(t, (ApFixed, MiniFloat)) and t.width <= 50, "small types")
        need(not isinstance(x, Fixed), "floats")
        return decode(quantize_codes(x, t), t)

    found = judgement(values, sheets)
    assert found.total.answered > 15_000
    assert found.total.differ == 0
    assert set(found.unsupported) == {"small types", "floats"}


def faulty(where: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Ours, one code too high where a mask says so: of inputs in steps, exact up to 53 bits."""

    def quantize(x: Any, t: Any) -> Any:
        need(isinstance(t, ApFixed) and not isinstance(x, Fixed), "floats into ap_fixed")
        need(t.width < 53 and abs(t.frac) < 60, "what scales exactly")
        y = np.ldexp(x.astype(np.float64), t.frac)
        return quantize_codes(x, t) + where(x, y, t)

    return quantize


FAULTS = {
    Level.TIES: lambda x, y, t: (abs(y) % 1 == 0.5) & (y > t.min_code + 1) & (y < t.max_code),
    Level.EDGES: lambda x, y, t: (y > t.max_code) & (y < t.max_code + 1),
    Level.BEYOND: lambda x, y, t: np.isfinite(x) & (y >= 2 * t.max_code + 2),
    Level.SPECIALS: lambda x, y, t: np.isinf(x),
}


@pytest.mark.parametrize("level", FAULTS, ids=str)
def test_a_planted_fault_is_found_on_its_level(level: Level, sheets: list[Sheet]) -> None:
    """All of its differences are there, and the counterexample is one of them."""
    found = judgement(faulty(FAULTS[level]), sheets)
    wrong = {cell.level for cell, count in found.counts.items() if count.differ}
    # A subnormal double is read as another number, so its level is the quirks'.
    assert wrong - {Level.QUIRKS} == {level}
    examples = [e for e in found.counterexamples if e.level is level]
    assert sum(e.count for e in examples) == found.of(level=level).differ > 100
    assert all(e.got != e.expected_value for e in examples)


def test_the_simplest_counterexample_is_shown(sheets: list[Sheet]) -> None:
    """One of few bits, of a kind that the rule names."""

    def half_up(x: Any, t: Any) -> Any:
        need(isinstance(t, ApFixed) and t.rounding is Rounding.RND_CONV, "RND_CONV")
        t = t.with_modes(rounding="RND")
        return cast_codes(x.codes, x.type, t) if isinstance(x, Fixed) else quantize_codes(x, t)

    found = judgement(half_up, sheets)
    ties = [e for e in found.counterexamples if e.level is Level.TIES]
    assert [e.rule for e in ties] == ["AP_RND_CONV: nearest: ties to even"]
    assert float(ties[0].value).as_integer_ratio()[0] in (1, -1, 5, -3)
    assert "RND_CONV" in ties[0].type
    assert found.of(level=Level.VALUES).differ == found.of(level=Level.BETWEEN).differ == 0


def test_the_widest_unsigned_codes(sheets: list[Sheet]) -> None:
    """They travel as negative integers, and are told as what they are."""

    def ones(x: Any, t: Any) -> Any:
        need(isinstance(t, ApFixed) and t.width == 64 and not t.signed, "ap_ufixed<64>")
        return np.full(len(x.codes) if isinstance(x, Fixed) else len(x), -1)

    found = judgement(ones, sheets)
    assert found.total.differ > 0
    assert all(e.expected >= 0 for e in found.counterexamples)
    assert all(Fraction(e.got) > 0 for e in found.counterexamples)


def test_what_raises_is_counted_apart(sheets: list[Sheet]) -> None:
    """An exception is an answer too: neither right nor different."""

    def raises(x: Any, t: Any) -> Any:
        raise OverflowError(f"no\nway of {type(t).__name__}")

    found = judgement(raises, sheets)
    assert found.total.answered == found.total.differ == 0
    assert found.raised == {"OverflowError: no": found.total.raised}


def test_what_is_not_offered_is_not_a_difference(sheets: list[Sheet]) -> None:
    """The reasons say how many cases were left out."""

    def nothing(x: Any, t: Any) -> Any:
        raise Unsupported("has nothing")

    found = judgement(nothing, sheets)
    assert found.counts == {}
    assert found.unsupported == {"has nothing": sum(len(sheet.levels) for sheet in sheets)}


def test_another_shape_is_an_error(sheets: list[Sheet]) -> None:
    """Not a difference: somebody wrote the adapter wrongly."""
    with pytest.raises(SubjectError, match="shape"):
        judgement(lambda x, t: np.zeros(3), sheets)


def test_a_missing_library_is_said(sheets: list[Sheet]) -> None:
    """It has no version, and the run goes on."""
    found = judged(Subject("gone", "gone", "gone()", "", "no_such_module"), sheets)
    assert found.version is None
    assert found.counts == {}


def test_names() -> None:
    """Libraries by name, in any case; a name that is nobody's is refused."""
    assert chosen([], []) == list(SUBJECTS)
    assert [s.name for s in chosen(["HARNESS", "harness"], [])] == ["harness"]
    with pytest.raises(ValueError, match="no adapter is called 'tensorflow'; allowed: harness, "):
        chosen(["tensorflow"], [])
    with pytest.raises(SubjectError, match="no_such_module"):
        chosen([], ["no_such_module:f"])
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS) >= 12


def test_the_list_imports_no_library() -> None:
    """Adapters are imported when they are asked, so one broken library stops nobody."""
    program = (
        "import sys, harness.conformance.subjects as s, harness.conformance.judge\n"
        "print(*(m for m in ('torch', 'keras', 'apytypes', 'qonnx') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "")


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: s.name)
def test_an_adapter_answers(subject: Subject, sheets: list[Sheet]) -> None:
    """Each installed library offers something, and most of it as the headers have it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs
            subject.load()
    except ImportError as error:
        pytest.skip(f"{subject.name}: {error}")
    found = judged(subject, sheets)
    assert found.version
    assert found.total.answered > 100
    plain = [found.of(level=level) for level in (Level.VALUES, Level.BETWEEN, Level.BEYOND)]
    asked, differ, _ = (sum(column) for column in zip(*plain, strict=True))
    assert differ < asked / 5


def test_floats_refuses_what_the_library_cannot_hold() -> None:
    """Types beyond the dtype, wider inputs and codes are not asked."""
    x = np.zeros(2, np.float32)
    assert floats(x, ApFixed(8, 3), "float32").dtype == np.float32
    for inputs, t in (
        (x, ApFixed(30, 3)),
        (x.astype(np.float64), ApFixed(8, 3)),
        (Fixed(np.zeros(2, np.int64), ApFixed(8, 3)), ApFixed(8, 3)),
    ):
        with pytest.raises(Unsupported):
            floats(inputs, t, "float32")


def test_the_page_has_every_library() -> None:
    """docs/conformance.md is of a run of all of them, and the control had no difference."""
    page = (Path(__file__).parents[2] / "docs/conformance.md").read_text(encoding="utf-8")
    for subject in SUBJECTS:
        assert f"\n## {subject.name}\n" in page
        assert all(f"- {remark}" in page for remark in subject.remarks)
    (control,) = (line for line in page.splitlines() if line.startswith("| [harness]"))
    assert re.findall(r"\d[\d,/]*", control)[2:] == ["0"] * len(Level)
