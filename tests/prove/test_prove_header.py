"""The vendor's header, by a model checker that reads it, where there is one."""

from pathlib import Path

import pytest

from harness import reference
from harness.oracle import Oracle
from harness.prove import Outcome, VacuousError, header
from harness.prove.checker import VARIABLE, CheckerError, find_esbmc
from harness.prove.header import answered, prove_header, prove_operators
from harness.prove.in_c import as_c
from harness.prove.law import fixed, operators
from harness.prove.plan import HEADER_OPERATORS, HEADERS, Task, header_tasks, legal
from harness.prove.terms import Word
from harness.types import ApFixed, ApInt, check_cast

try:
    CHECKER = find_esbmc()
except CheckerError as error:
    CHECKER = None
    WHY = str(error)

installed = pytest.mark.skipif(CHECKER is None, reason="" if CHECKER else WHY)
SOURCE = ApFixed.parse("ap_fixed<8,6>")


def modes(target: str, *names: str) -> list[ApFixed]:
    """The modes of a shape that have one of these in their spelling."""
    found = legal(ApFixed.parse(target), 2)
    return [t for t in found if any(name in t.cpp_full for name in names)]


@installed
def test_the_header_is_the_law(oracle: Oracle) -> None:
    """Every code of the source, and a planted fault is seen where it was planted."""
    found = prove_header(SOURCE, modes("ap_fixed<4,4>", "AP_RND_CONV"), oracle)
    assert found.outcome is Outcome.PROVEN
    assert found.claims == 7
    assert found.planted


@installed
def test_a_quirk_is_found(oracle: Oracle) -> None:
    """Of the published definition the header is refuted, at an input where the quirk is."""
    t = ApFixed.parse("ap_fixed<4,4,AP_RND,AP_WRAP_SM>")
    found = prove_header(SOURCE, [t], oracle, published=True)
    assert found.outcome is Outcome.REFUTED
    assert found.codes is not None
    word = found.inputs["code"]
    code = word - 256 if word > 127 else word
    assert "wrap-sm-unrounded-bit" in reference.quirks(reference.decode(code, SOURCE), t)
    assert found.codes[0] == reference.cast(code, SOURCE, t) % 16
    assert found.codes[1] == reference.cast(code, SOURCE, t, published=True) % 16


@installed
def test_integers_and_operators(oracle: Oracle) -> None:
    """Casts of ``ap_int``, and the operators of a pair; a quirk of the division is found."""
    found = prove_header(ApInt(6), [ApInt(4, signed=False), ApFixed(3, 2, rounding="RND")], oracle)
    assert found.outcome is Outcome.PROVEN
    task = Task(HEADER_OPERATORS, ((ApInt(4), (ApInt(3, signed=False),)),))
    quotients, others = answered(task, 60.0)
    assert [quotients.claims, others.claims] == [2, 12]
    assert quotients.outcome is others.outcome is Outcome.PROVEN
    t = ApFixed(4, 4)
    found = prove_operators("/", t, t, oracle, published=True)
    assert (found.inputs, found.codes) == ({"a": 8, "b": 15}, (-8 % 32, 8))


@installed
def test_out_of_time(oracle: Oracle) -> None:
    found = prove_header(SOURCE, modes("ap_fixed<4,4>", "AP_TRN"), oracle, seconds=0.01)
    assert found.outcome is Outcome.UNDECIDED


@installed
def test_what_is_not_read(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is no C++ is the tool's error, in one line."""
    monkeypatch.setattr(header, "_program", lambda *facts: "#include <nothing>\n")
    with pytest.raises(CheckerError, match="does not read the program"):
        prove_header(SOURCE, modes("ap_fixed<4,4>", "AP_TRN"), oracle)


def test_no_checker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "esbmc"))
    with pytest.raises(
        CheckerError, match=f"no esbmc; put it on the path, or name it with {VARIABLE}"
    ):
        find_esbmc()


def a_checker(folder: Path, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that answers every question alike."""
    file = folder / "esbmc"
    file.write_text(f"#!/bin/sh\necho 'ESBMC version 0.0'\n{says}\n", encoding="utf-8")
    file.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(file))


def test_a_checker_that_says_yes(
    oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that finds everything proven does not see the planted fault, and is not believed."""
    a_checker(tmp_path, "echo 'VERIFICATION SUCCESSFUL'", monkeypatch)
    with pytest.raises(VacuousError, match="does not see a planted fault"):
        prove_header(SOURCE, modes("ap_fixed<4,4>", "AP_TRN"), oracle)


def test_a_checker_that_misreads(
    oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refutation that the compiler does not give is told as the tool's."""
    t = ApFixed.parse("ap_fixed<4,4>")
    where = f"Violated property:\\n  file cast.cpp line 8 column 1 f\\n  {t}\\n"
    said = f"  code_word = 17 (00010001)\\n{where}"
    a_checker(tmp_path, f"printf '{said}VERIFICATION FAILED'", monkeypatch)
    with pytest.raises(CheckerError, match="misreads the header: .* at code 0x11 is 0x4 by"):
        prove_header(SOURCE, [t], oracle)


def test_terms_are_the_same_in_c() -> None:
    """Statements of one variable each, ending in the one that is named."""
    code = Word.named("code", 8)
    lines, name = as_c(
        fixed.cast(code, SOURCE, ApFixed.parse("ap_fixed<4,4,AP_RND>")), {"code": "w"}, "t"
    )
    assert lines[-1].startswith(f"const unsigned _BitInt(4) {name} = ")
    assert any(line.endswith("= (unsigned _BitInt(8))w;") for line in lines)
    assert len(lines) == len({line.split(" = ")[0] for line in lines})


@pytest.mark.parametrize(
    ("ops", "ta", "tb", "match"),
    [
        ("*", ApInt(40), ApInt(40), "up to 64 bits"),
        ("<", ApFixed(8, 4), ApFixed(8, 70), "up to 64 bits"),
        (["+="], ApInt(4), ApInt(4), "is no operator of two numbers"),
        (["%"], ApFixed(8, 4), ApInt(4), "takes integer types"),
    ],
)
def test_refused(ops: list[str], ta: ApFixed, tb: ApFixed, match: str, oracle: Oracle) -> None:
    """Wider words than programs have, and what the header is not asked."""
    with pytest.raises(ValueError, match=match):
        prove_operators(ops, ta, tb, oracle)


def test_what_is_misread_in_a_profile_is_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It proves nothing, and the others are asked all the same."""
    a_checker(tmp_path, "echo 'error: no such header'", monkeypatch)
    task = Task(HEADERS[0], ((SOURCE, (ApFixed(4, 4),)), (SOURCE, (ApFixed(4, 3),))))
    first, second = answered(task, 1.0)
    assert first.outcome is second.outcome is Outcome.UNDECIDED
    assert "does not read the program: error: no such header" in second.differs
    aborts = ApFixed(1, 17, rounding="RND", overflow="SAT")  # whatever is converted
    task = Task(HEADERS[0], ((ApFixed(5, 4), (aborts, ApFixed(4, 4))), (ApFixed(5, 4), (aborts,))))
    assert [one.claims for one in answered(task, 1.0)] == [1]


def test_pairs_of_a_profile() -> None:
    """Each subject has its share, another seed has other types, and none is too wide to ask."""
    tasks = header_tasks("full")
    counts = [sum(task.subject == subject for task in tasks) for subject in HEADERS]
    assert counts == [20, 14, 16]
    assert tasks == header_tasks("full", 0) != header_tasks("full", 1)
    integers = [t for task in tasks[20:34] for s, to in task.asked for t in (s, *to)]
    assert {ApInt, ApFixed} == {type(t) for t in integers}
    for task in tasks:
        ((source, targets),) = task.asked
        assert max(t.width for t in (source, *targets)) <= 64
        assert 1 <= len(targets) <= 4
        if task.subject != HEADER_OPERATORS:
            check_cast(source, targets[0])
    with pytest.raises(ValueError, match="unknown profile 'all'"):
        header_tasks("all")


def test_divisions_are_the_same_in_c() -> None:
    """A quotient is taken with its sign."""
    a, b = Word.named("a", 4), Word.named("b", 4)
    lines, name = as_c(operators.compute("/", a, ApInt(4), b, ApInt(4)), {"a": "x", "b": "y"}, "t")
    assert any(" / (signed _BitInt(" in line for line in lines)
    assert lines[-1].startswith(f"const unsigned _BitInt(5) {name} = ")
