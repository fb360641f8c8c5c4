"""The vendor's header, by a model checker that reads it, where there is one."""

from pathlib import Path

import pytest

from harness import reference
from harness.oracle import Oracle
from harness.prove import Outcome, VacuousError, header
from harness.prove.header import VARIABLE, CheckerError, find_esbmc, prove_header
from harness.prove.in_c import as_c
from harness.prove.law import fixed
from harness.prove.plan import legal
from harness.prove.terms import Word
from harness.types import ApFixed

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
    said = f"  word = 17 (00010001)\\n{where}"
    a_checker(tmp_path, f"printf '{said}VERIFICATION FAILED'", monkeypatch)
    with pytest.raises(CheckerError, match="misreads the header: .* code 0x11 to .* is 0x4 by the"):
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
