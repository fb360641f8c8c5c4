"""What would end the process is refused, or contained; the next question is answered."""

import itertools
import random
import shutil
from pathlib import Path

import pytest

from harness import ApFixed, ApInt, Overflow, Rounding, reference
from harness.oracle import CompileError, HeaderRefuses, HeadersError, Oracle, OracleCrash, kernels
from harness.oracle.headers import find_headers
from harness.oracle.limits import cast_aborts, refusal
from harness.oracle.worker import Worker

T = ApFixed(8, 4, rounding="RND", overflow="SAT")


def still_answers(oracle: Oracle) -> None:
    """The next question is answered correctly."""
    assert oracle.codes([1.53125, 99.0], T).tolist() == [25, 127]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("ap_fixed<5,4>", "ap_fixed<1,17,AP_RND,AP_SAT>"),
        ("ap_fixed<32,16>", "ap_ufixed<4,21,AP_TRN_ZERO,AP_WRAP>"),
    ],
)
def test_abort_is_refused(oracle: Oracle, source: str, target: str) -> None:
    """A conversion on which the header asserts is refused by name, and the reference answers."""
    a, b = ApFixed.parse(source), ApFixed.parse(target)
    with pytest.raises(HeaderRefuses, match="beyond the MSB"):
        oracle.cast([1], a, b)
    assert reference.cast(1, a, b) == 0
    still_answers(oracle)


def test_division_by_zero_is_refused(oracle: Oracle) -> None:
    """It never reaches the processor, and a folded word of an unsigned divisor is no small one."""
    with pytest.raises(HeaderRefuses, match="divisor is zero"):
        oracle.compute("/", [1, 1], T, [1, 0], T)
    cut = ApFixed(64, 62, signed=False)
    with pytest.raises(HeaderRefuses, match="cuts its divisor"):
        oracle.compute("/=", [5], ApInt(8), [3], cut)
    assert oracle.compute("/=", [5], ApInt(8), [-1], cut).tolist() == [0]
    still_answers(oracle)


def _type(rng: random.Random, modes: bool) -> ApFixed:
    width = rng.choice([1, 2, 5, 9, 31, 64, 65, 70])
    integer = rng.randint(-40, width + 40)
    signed = rng.random() < 0.6
    if not modes:
        return ApFixed(width, integer, signed)
    overflows = [o for o in Overflow if signed or o is not Overflow.WRAP_SM]
    return ApFixed(width, integer, signed, rng.choice(list(Rounding)), rng.choice(overflows))


def test_prediction_is_exact_both_ways(oracle: Oracle) -> None:
    """Conversions that are allowed never abort; those that are refused really do."""
    rng = random.Random(5)
    pairs = [(_type(rng, False), _type(rng, True)) for _ in range(400)]
    allowed = [kernels.cast(*p) for p in pairs if not cast_aborts(*p)][:64]
    refused = [kernels.cast(*p) for p in pairs if cast_aborts(*p)][:24]
    assert len(refused) == 24
    for group in (allowed, refused):
        for start in range(0, len(group), 32):
            oracle.builder.compile(group[start : start + 32])
    worker = Worker()
    for kernel in allowed + refused:
        source, target = kernel.operands[0], kernel.result
        sizes = [8 * ((t.width + 63) // 64) for t in (source, target)]
        codes = {source.min_code, source.max_code, 0, 1 if source.max_code else 0}
        mask = (1 << 8 * sizes[0]) - 1
        a = b"".join((c & mask).to_bytes(sizes[0], "little") for c in sorted(codes))
        slot = oracle.builder.slot(kernel)
        assert slot is not None
        call = (str(slot.path), slot.index, a, b"", sizes[1] * len(codes), len(codes))
        if refusal(kernel) is None:
            assert len(worker.call(*call)) == sizes[1] * len(codes)
        else:
            with pytest.raises(RuntimeError, match="SIGABRT"):
                worker.call(*call)
    worker.close()


@pytest.fixture
def own_headers(tmp_path: Path) -> Path:
    """A copy of the pinned headers, to be edited."""
    folder = tmp_path / "own"
    shutil.copytree(find_headers().directory, folder)
    return folder


def _edit(folder: Path, old: str, new: str) -> None:
    header = folder / "ap_fixed_base.h"
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))


def test_crash_is_contained(own_headers: Path, oracle: Oracle) -> None:
    """A header that aborts kills the worker alone; the error names the signal."""
    _edit(own_headers, "if (!underflow && !overflow) return;", "if (overflow) abort();")
    own = Oracle(own_headers, cache=False)
    assert not own.headers.pinned
    with pytest.raises(OracleCrash, match="SIGABRT"):
        own.codes([99.0], T)
    assert own.codes([1.5], T).tolist() == [24]
    own.close()
    still_answers(oracle)


def test_compile_error_is_contained(own_headers: Path, oracle: Oracle) -> None:
    """A header that does not compile is one line that names the kernel."""
    _edit(own_headers, "if (!underflow && !overflow) return;", "this is no C++;")
    own = Oracle(own_headers, cache=False)
    with pytest.raises(CompileError, match="refused harness::from_number") as caught:
        own.codes([1.0], T)
    assert "\n" not in str(caught.value)
    still_answers(oracle)


def test_other_headers_are_the_truth_of_their_own(own_headers: Path, oracle: Oracle) -> None:
    """A user's own headers are used as they are, and reports name their hash."""
    _edit(own_headers, "qb &= s || r;", "qb &= !s || r;")
    zero = ApFixed(8, 4, rounding="RND_ZERO")
    own = Oracle(own_headers, cache=False)
    half = 2.0**-5
    assert own.codes([half, -half], zero).tolist() != oracle.codes([half, -half], zero).tolist()
    assert "user's own" in own.headers.label
    assert own.headers.digest != oracle.headers.digest
    own.close()


def test_missing_headers_and_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without the headers, and a compiler that is not there, are one line each."""
    with pytest.raises(HeadersError, match="lacks the header"):
        Oracle(tmp_path)
    monkeypatch.setenv("HARNESS_AP_TYPES", str(tmp_path / "nowhere"))
    with pytest.raises(HeadersError, match="lacks the header"):
        Oracle()
    monkeypatch.delenv("HARNESS_AP_TYPES")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompileError, match="install g"):
        Oracle()


def test_same_headers_elsewhere_are_still_pinned(own_headers: Path) -> None:
    """The pinned headers are recognised by content, wherever they are."""
    assert find_headers(own_headers).pinned


def test_every_operation_knows_its_conversion() -> None:
    """A compound assignment whose conversion would abort is refused before it runs."""
    narrow, wide = ApFixed(1, 40, rounding="RND"), ApFixed(5, 1)
    ops = [kernels.assign, kernels.accumulate]
    from harness.types import Operation

    for make, op in itertools.product(ops, [Operation.MUL]):
        full = kernels.compute(op, narrow, wide).result
        assert (refusal(make(op, narrow, wide)) is not None) == cast_aborts(full, narrow)
