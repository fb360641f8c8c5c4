"""``verify`` on the other families: agreement, planted faults, and what the report says."""

import contextlib
import io
import json
import shutil
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from harness import (
    FORMATS,
    TERNARY,
    ApFixed,
    Binary,
    FloatRounding,
    MiniFloat,
    VitisFloat,
    decode,
    quantize,
    quantize_codes,
    reference,
)
from harness.oracle import Oracle
from harness.report import verdicts
from harness.verify import PROFILES, SubjectError, run, verify
from harness.verify.engine import examine
from harness.verify.float_profiles import float_questions, questions_about
from harness.verify.other_questions import Chance, Signs
from harness.verify.records import FAMILIES

E4M3 = FORMATS["float8_e4m3fn"]
MINI = MiniFloat(3, 4, 0)
VITIS = VitisFloat(16, 5)
NAMED = [MINI, E4M3, VITIS, Binary(), Binary(-1), E4M3.with_modes(rounding="STOCHASTIC")]


@pytest.mark.parametrize("t", [*NAMED, ApFixed(8, 4, rounding="S_RND")], ids=str)
def test_types_by_name_agree(t: Any, oracle: Oracle) -> None:
    """Each family can be asked about by name, with a witness, and agrees."""
    verdict = run(oracle=oracle, types=[t])
    assert verdict.agrees
    assert verdict.checks > 1000
    assert verdict.families
    assert all(witness for _, witness in verdict.families)


def test_quick_profile_covers_every_family() -> None:
    """Every family, every named format, every deterministic rounding, both headers."""
    asked = float_questions(PROFILES["quick"].minifloats, np.random.default_rng(0))
    assert {q.path for q in asked} == set(FAMILIES) - {"ap_int"}
    targets = {q.target for q in asked}
    assert set(FORMATS.values()) <= targets
    assert TERNARY in targets
    roundings = {q.target.rounding for q in asked if q.path == "ieee"}
    assert roundings == {r for r in FloatRounding if not r.stochastic}
    chance = {q.target.rounding.name for q in asked if q.path == "by chance"}
    assert chance == {"S_RND", "S_RND_CONV", "STOCHASTIC", "STOCHASTIC_EQUAL"}
    assert len({q.witness for q in asked if q.path == "minifloat"}) == 2
    assert len({q.key for q in asked}) == len(asked)


def _nearest(**modes: Any) -> Any:
    """IEEE-style faults: another rounding or overflow than asked for."""
    return lambda x, t: quantize_codes(x, t.with_modes(**modes))


def _floor_log2(x: Any, t: Any) -> Any:
    """The exponent from floor(log2|x|) in float32, which is wrong just below powers of two."""
    with np.errstate(all="ignore"):
        magnitude = np.abs(x)
        exponent = np.floor(np.log2(magnitude.astype(np.float32))).astype(np.float64)
        exponent = np.clip(exponent, t.emin, t.emax)
        unit = 2.0 ** (exponent - t.frac_bits)
        cut = np.minimum(np.rint(magnitude / unit), 2.0 ** (t.frac_bits + 1) - 1) * unit
    values = np.where(magnitude >= float(t.max_exact), float(t.max_exact), cut)
    return np.where(np.isfinite(x), np.copysign(values, x), quantize(x, t))


def _no_subnormals(x: Any, t: Any) -> Any:
    values = quantize(x, t)
    return np.where(np.abs(values) < 2.0**t.emin, 0.0, values)


def _through_float32(x: Any, t: Any) -> Any:
    with np.errstate(all="ignore"):
        return quantize_codes(x.astype(np.float32), t)


def _truncated(x: Any, t: Any) -> Any:
    whole = np.trunc(np.ldexp(np.clip(x, -30000, 30000), 20))
    return quantize(np.where(np.abs(x) < 30000, np.ldexp(whole, -20), x), t)


def _unbounded_exponent(x: Any, t: Any) -> Any:
    return np.where(np.abs(x) > float(t.max_exact) * 1.5, 0.0, quantize(x, t))


FAULTS = {
    "ties away": (_nearest(rounding="NEAREST_AWAY"), E4M3),
    "truncates": (_nearest(rounding="TOWARD_ZERO"), E4M3),
    "saturates": (_nearest(overflow="saturate"), E4M3),
    "flushes": (_nearest(subnormals=False), E4M3),
    "NaN below the overflow threshold": (
        lambda x, t: np.where(np.abs(x) > 448, t.nan_code, quantize_codes(x, t)),
        E4M3,
    ),
    "floor(log2|x|)": (_floor_log2, MINI),
    "no subnormals": (_no_subnormals, MINI),
    "rounds to float32 first": (_through_float32, MINI),
    "cuts to 20 fractional bits": (_truncated, MINI),
    "wraps to zero": (_unbounded_exponent, MINI),
    "sign lost": (lambda x, t: quantize_codes(np.abs(x), t), MINI),
    "biased exponent field": (lambda x, t: quantize_codes(x, t) ^ t.flip, MINI),
    "keeps subnormals": (
        lambda x, t: quantize_codes(x, FORMATS["float16"]),
        VITIS,
    ),
    "flushes before rounding": (
        lambda x, t: quantize_codes(np.where(np.abs(x) < 2.0**t.emin, np.copysign(0.0, x), x), t),
        VITIS,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught(name: str, oracle: Oracle) -> None:
    """A quantizer with one fault differs, and the report's input shows it."""
    fault, t = FAULTS[name]
    verdict = run(oracle=oracle, types=[t], subject=fault, subject_name=name)
    assert not verdict.agrees
    for mismatch in verdict.mismatches:
        assert mismatch.got != mismatch.expected
        assert mismatch.expected == mismatch.reference
        assert mismatch.input.startswith(("0x", "-0x", "inf", "-inf", "nan"))


def test_fault_in_binary_and_ternary() -> None:
    """The other zero, and a tie that goes the other way, are seen by the reference."""
    exact = lambda x, t: np.array([reference.from_double(float(v), t) for v in x])  # noqa: E731
    assert verify(quantize_codes, exact, [Binary(), TERNARY]).agrees
    other = lambda x, t: quantize_codes(x, Binary(-1))  # noqa: E731
    assert verify(other, exact, [Binary()]).differences > 0
    strict = lambda x, t: (x > 0.5).astype(int) - (x <= -0.5)  # noqa: E731
    assert verify(strict, exact, [TERNARY]).differences > 0


def test_fault_in_chance(oracle: Oracle) -> None:
    """A draw that is no neighbour is found, and so is one that moves a representable value."""
    question = Chance(E4M3.with_modes(rounding="STOCHASTIC"))
    x, drawn = question.inputs(4000, np.random.default_rng(0), 8)
    wrong = drawn.copy()
    wrong[7] = (wrong[7] + 3) % 128
    assert examine(question, oracle, (x, drawn)).tally.differences == 0
    assert examine(question, oracle, (x, wrong)).tally.differences > 0


def test_signs_ask_hls4ml(oracle: Oracle) -> None:
    """Binary is asked of hls4ml; the other convention is not asked about 0."""
    for zero, zeros in ((1, 1), (-1, 0)):
        question = Signs(ApFixed(6, 3), Binary(zero))
        inputs = question.inputs(100, np.random.default_rng(0), 9)
        assert (inputs[0] == 0).sum() == zeros
        assert examine(question, oracle, inputs).tally.differences == 0


def test_verify_of_values(oracle: Oracle) -> None:
    """Values are compared as numbers: between two codes is a difference, -0.0 is not."""
    assert verify(quantize, quantize_codes, [MINI, E4M3]).agrees
    assert verify(lambda x, t: quantize(x, t) + 0.0, quantize_codes, [MINI]).agrees
    verdict = verify(lambda x, t: quantize(x, t) * 1.01, quantize_codes, [MINI])
    assert verdict.differences > 0
    assert "not a value" in str(verdict.mismatches[0].got)
    verdict = verify(lambda x, t: np.clip(np.nan_to_num(x), 448, 448), quantize_codes, [E4M3])
    assert verdict.mismatches[0].got == 126  # 448 is a value, and is shown as its code
    with pytest.raises(SubjectError, match="returned values, but"):
        verify(lambda x, t: x, quantize_codes, [VitisFloat(80, 16)])


def test_headers_without_ap_float(tmp_path: Any) -> None:
    """A vendor's own folder has no ap_float.h: ours is asked, and the report says who was not."""
    source = Oracle().headers.directory
    own = shutil.copytree(source, tmp_path / "include")
    (own / "ap_float.h").unlink()
    with contextlib.closing(Oracle(own)) as oracle:
        assert oracle.headers.pinned
        verdict = run(oracle=oracle, types=[MINI, Binary()])
    assert verdict.agrees
    assert not verdict.domains
    assert {witness for _, witness in verdict.families} == {
        "minifloat.h, ours",
        "the exact reference alone",
    }
    reasons = {u.why.rpartition(" has no ")[2] for u in verdict.unwitnessed}
    assert reasons == {"ap_float.h", "../nnet_utils/nnet_activation.h"}


def test_report_names_witnesses_and_domains(oracle: Oracle) -> None:
    """The report says who was asked about what, how many codes were exhausted, and where."""
    verdict = run(oracle=oracle, types=[MINI, E4M3, VITIS])
    console = Console(width=150, record=True, file=io.StringIO())
    verdicts.print_verdict(verdict, console)
    text = console.export_text()
    for expected in (
        "hls4ml's ap_float.h, in its domain",
        "minifloat.h, ours",
        "MPFR",
        "ml_dtypes",
        "256",
        "multiples of 2**-16, |x| < 2**15, at most 17 significant bits up to 2**8; and 0",
        "the vendor's header is closed",
        "AGREE",
    ):
        assert expected in text
    document = json.loads(verdicts.as_json(verdict))
    assert document["domains"][0]["type"] == str(MINI)
    assert {t["witness"] for t in document["tallies"]} >= {"minifloat.h, ours"}
    assert any(t["exhausted"] == 256 for t in document["tallies"])


def test_snippets_are_programs(oracle: Oracle, tmp_path: Any) -> None:
    """The C++ and the Python of a report, run, print the expected code."""
    import subprocess
    import sys

    rng = np.random.default_rng(0)
    shown = {}
    for question in questions_about(MINI, rng):
        if question.label != str(MINI):
            continue
        program = tmp_path / "snippet.cpp"
        program.write_text(question.snippet((np.array([-0.3]),), 0))
        include = [f"-I{oracle.headers.directory}", "-Iap_types"]
        command = ["g++", "-std=c++17", "-w", *include, str(program), "-o", str(tmp_path / "a")]
        subprocess.run(command, check=True)
        done = subprocess.run([str(tmp_path / "a")], capture_output=True, text=True, check=True)
        shown[question.witness] = done.stdout.strip()
    code = reference.from_double(-0.3, MINI)
    assert shown["minifloat.h, ours"].lower().replace("0x", "") == f"{code:x}"
    fields = shown["hls4ml's ap_float.h, in its domain"].replace("0b", "").split()
    assert fields == ["1", f"{code >> 3 & 15:04b}", f"{code & 7:03b}"]
    program = tmp_path / "snippet.py"
    ieee = questions_about(E4M3, rng)[0]
    program.write_text(ieee.snippet((np.array([-0.3]),), 0))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert int(done.stdout, 16) == reference.from_double(-0.3, E4M3)
    assert decode(int(done.stdout, 16), E4M3) == -0.3125
