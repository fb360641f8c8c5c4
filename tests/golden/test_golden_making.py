"""Writing vectors: what is asked, who must agree, and what a check finds."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.golden import GoldenError, Truth, dumps, golden_directory, load, loads, replay
from harness.golden import divergences as known
from harness.golden.answer import Disagreement, answered, kernels_of
from harness.golden.files import MANIFEST, SUMS, write_aside
from harness.golden.made import encoded, extended, made
from harness.golden.plan import FILES, conversion
from harness.golden.record import NUMBERS, code_of, word_of
from harness.golden.store import check, truth_of, write
from harness.golden.stream import Stream
from harness.oracle import Oracle
from harness.types import FORMATS, ApFixed, Binary, MiniFloat, VitisFloat, parse_type

GOLDEN = golden_directory()
T = ApFixed(8, 4, rounding="RND_CONV", overflow="SAT")


def test_one_file_again(oracle: Oracle, truths: dict[str, Truth]) -> None:
    """A file generated here is the committed one, byte for byte, tools aside."""
    file = next(file for file in FILES if file.name == "binary/cast.json")
    questions = list(file.questions(Stream(0, file.name)))
    list(oracle.compile([k for question in questions for k in kernels_of(question)]))
    groups = [answered(question, k, oracle) for k, question in enumerate(questions)]
    fresh = truth_of(file, groups, oracle)
    assert (
        dumps(replace(fresh, compiler=truths[file.name].compiler))
        == (GOLDEN / file.name).read_text()
    )


def test_streams_are_for_ever() -> None:
    """The integers of a key are these, whatever the versions of Python and NumPy."""
    assert [Stream("a").bits(16), Stream("b").bits(16)] == [0x472F, 0x783F]
    assert {Stream("c", k).between(3, 5) for k in range(60)} == {3, 4, 5}
    with pytest.raises(ValueError, match="no integer from 2 to 1"):
        Stream("d").between(2, 1)


class Liar(Oracle):
    """An oracle whose last word is wrong by one bit."""

    def codes(self, *args: object, **kwargs: object) -> object:
        found = super().codes(*args, **kwargs)  # type: ignore[arg-type]
        found[-1] ^= 1
        return found


def test_a_disagreement_is_no_vector() -> None:
    """Where witness and reference differ nothing is written; the error names both."""
    with pytest.raises(Disagreement, match=r"ap_fixed.h and the reference disagree on convert of"):
        answered(conversion("double", T, 50, Stream(1)), 0, Liar())


def test_ap_float_h_must_agree_in_its_domain(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor's minifloat is asked too; a difference inside its domain is a discovery."""
    question = conversion("double", MiniFloat(3, 4, 0), 50, Stream(1))
    assert any("ap_float.h" in case.flags for case in answered(question, 0, oracle).cases)
    monkeypatch.setattr("harness.golden.answer.vendor_codes", lambda *_: [])
    with pytest.raises(Disagreement, match="inside its domain"):
        answered(question, 0, oracle)


def test_a_divergence_that_is_gone(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a library has mended its ways, the vectors must not claim otherwise."""
    monkeypatch.setattr(known, "_ap_float", lambda *_: ())
    monkeypatch.setattr(known, "quantize_codes", lambda x, t: 0 * x.astype(int))
    right = known._differing
    monkeypatch.setattr(
        known, "_differing", lambda g, o, w, n, f: right(g, o, g.words("expected"), n, f)
    )
    with pytest.raises(ValueError, match="a divergence is gone: ml_dtypes"):
        list(known.divergences(Stream(0), oracle))


@pytest.fixture
def copy(tmp_path: Path, truths: dict[str, Truth]) -> Path:
    """A folder written from the committed vectors."""
    (tmp_path / "golden").mkdir()
    shutil.copy(GOLDEN / "schema.json", tmp_path / "golden")
    write(tmp_path / "golden", truths)
    return tmp_path / "golden"


def test_writing_is_the_committed_bytes(copy: Path, truths: dict[str, Truth]) -> None:
    """Written elsewhere it is the same, manifest and sums included, and nothing else is there."""
    names = {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()}
    assert names == {*truths, MANIFEST, SUMS, "schema.json"}
    assert all((copy / name).read_bytes() == (GOLDEN / name).read_bytes() for name in names)
    found = check(copy, truths)
    assert (found.differences, found.notes) == ((), ())


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (
        lambda d: _edit(d / "vitis/double.json", '"7c00"', '"7c01"'),
        r"vitis/double.json:\d+: has .*7c01.*, regenerated .*7c00",
    ),
    "a file": (lambda d: (d / "ieee/double.json").unlink(), "ieee/double.json: cannot be read"),
    "the manifest": (lambda d: _edit(d / MANIFEST, '"groups"', '"group"'), f"{MANIFEST}:"),
    "the sums": (lambda d: (d / SUMS).write_text(""), f"{SUMS}:1"),
    "line ends": (lambda d: _edit(d / "vitis/double.json", "\n", "\r\n"), "vitis/double.json"),
    "the schema": (lambda d: _edit(d / "schema.json", "Golden", "Silver"), f"{SUMS}:"),
    "a stranger": (lambda d: (d / "mine.json").write_text("{}"), "mine.json: is no truth file"),
    "no text": (lambda d: (d / MANIFEST).write_bytes(b"\xff"), MANIFEST),
}


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


@pytest.mark.parametrize("change", CHANGES)
def test_a_check_finds(change: str, copy: Path, truths: dict[str, Truth]) -> None:
    """Whatever is changed in the folder, the check says what and where."""
    act, message = CHANGES[change]
    act(copy)
    (difference, *_) = check(copy, truths).differences
    assert re.search(message, difference), difference


def test_the_command_checks(
    copy: Path,
    truths: dict[str, Truth],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 0 for the same bytes, 1 for others, with file and line.

    What is generated are the committed vectors: ``make golden-check`` makes them.
    """
    monkeypatch.setattr("harness.golden.store.generate", lambda *_: truths)
    monkeypatch.setattr("sys.argv", ["harness", "golden", "check", str(copy)])

    def checked() -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0, capsys.readouterr().out

    same, told = checked()
    CHANGES["a byte"][0](copy)
    differ, why = checked()
    vectors = sum(truth.count for truth in truths.values())
    assert (same, differ) == (0, 1)
    assert told.startswith(f"SAME: {vectors:,} vectors in {len(truths)} files, ")
    assert "vitis/double.json:" in why
    assert f"DIFFER: 1 of {len(truths)} files; `make golden` writes them" in why


def test_another_compiler_is_noted(copy: Path, truths: dict[str, Truth]) -> None:
    """Vectors that another compiler confirms are the same vectors."""
    path = copy / "binary/cast.json"
    truth = replace(load(path), compiler="g++ 99.1")
    write(copy, {**truths, "binary/cast.json": truth})
    found = check(copy, truths)
    assert found.differences == ()
    assert found.notes == ("binary/cast.json: written with g++ 99.1",)


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (T, None),
        (T, ApFixed(16, 6)),
        (ApFixed(65, 9), ApFixed(70, 9)),
        (FORMATS["bfloat16"], None),
        (VitisFloat(16, 5), None),
        (MiniFloat(4, 3, 0), None),
        (MiniFloat(4, 3, 0), ApFixed(12, 4)),
        (Binary(), ApFixed(8, 4)),
    ],
)
def test_vectors_to_order(target: object, source: ApFixed | None, oracle: Oracle) -> None:
    """Any type with a witness, from doubles or another type: at most so many, and reproducible."""
    truth = made(target, source, 400, 3, oracle)
    assert 30 <= truth.count <= 400
    assert loads(dumps(truth)) == truth == made(target, source, 400, 3, oracle)
    exhausted = source is not None and 1 << source.width <= 400
    assert (made(target, source, 400, 4, oracle).groups == truth.groups) == exhausted
    assert replay(truth.groups).differences == ()


@pytest.mark.parametrize(
    ("target", "source", "count", "reason"),
    [
        (Binary(), None, 10, "name one with --source"),
        (FORMATS["float16"], ApFixed(8, 4), 10, "nobody can witness cast"),
        (ApFixed(4, 4, rounding="RND"), ApFixed(4, -9), 10, "beyond the MSB"),
        (ApFixed(8, 4, rounding="S_RND"), None, 10, "by chance"),
        (T, None, 0, "at least 1"),
        (Binary(zero=-1), T, 10, "nobody can witness ap_fixed"),
        (Binary(), MiniFloat(3, 4, 0), 10, "nobody can witness ap_float"),
        (T, FORMATS["float16"], 10, "no open C"),
    ],
)
def test_orders_refused(
    target: object, source: object, count: int, reason: str, oracle: Oracle
) -> None:
    """What nobody can witness is no golden vector."""
    with pytest.raises((ValueError, RuntimeError), match=reason):
        made(target, source, count, 0, oracle)


def test_tensors(tmp_path: Path, oracle: Oracle) -> None:
    """Every element of every array, in C order, with the array's name and shape."""
    weights = np.linspace(-9, 9, 24, dtype=np.float32).reshape(4, 6).T
    path = tmp_path / "weights.npz"
    np.savez(
        path,
        weights=weights,
        bias=np.array([0.1, -8.0]),
        steps=np.int32(7),
        half=np.float16([1, 1]),
    )
    truth = encoded(path, T, oracle)
    assert [group.note for group in truth.groups] == ["weights", "bias", "steps", "half"]
    assert [group.shape for group in truth.groups] == [(6, 4), (2,), (1,), (2,)]
    codes = [code_of(word, T) for word in truth.groups[0].words("expected")]
    exact = np.clip(np.rint(weights.astype(float) * 16), -128, 127).astype(int)
    assert codes == exact.ravel().tolist()
    assert loads(dumps(truth)) == truth
    assert replay(truth.groups).differences == ()


def test_bad_tensors(tmp_path: Path, oracle: Oracle) -> None:
    """Files that are none, arrays that are empty, complex, or objects."""
    path = tmp_path / "x.npz"
    with pytest.raises(GoldenError, match="cannot be read"):
        encoded(path, T, oracle)
    for content in (b"", b"PK\x03\x04nonsense", b"1,2,3"):
        path.write_bytes(content)
        with pytest.raises(GoldenError, match="x.npz"):
            encoded(path, T, oracle)
    for arrays, reason in (
        ({}, "no arrays"),
        ({"a": np.zeros(0)}, "a is empty"),
        ({"a": np.zeros(2, complex)}, "complex128"),
        ({"a": np.array([None])}, "numbers"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=reason):
            encoded(path, T, oracle)
    np.savez(path, a=np.array([np.nan]))
    with pytest.raises(ValueError, match="no NaN"):
        encoded(path, MiniFloat(3, 4, 0), oracle)
    assert "nan" in encoded(path, T, oracle).groups[0].cases[0].flags


def test_more_of_the_same(truths: dict[str, Truth], oracle: Oracle) -> None:
    """More casts of the committed types are new ones, and as well witnessed."""
    truth = truths["fixed/cast.json"]
    few = replace(truth, groups=truth.groups[:8])
    groups = extended(few, few.count + 900, oracle)
    assert sum(len(group.cases) for group in groups) > few.count + 500
    for old, new in zip(few.groups, groups, strict=True):
        assert new.columns == old.columns
        assert new.cases[: len(old.cases)] == old.cases
        assert len({case.inputs for case in new.cases}) == len(new.cases)
    assert replay(groups).differences == ()


def test_files_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file, and nothing beside it."""
    path = tmp_path / "a" / "x.json"
    write_aside(path, "old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_aside(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


@pytest.mark.parametrize(
    ("spelled", "code", "word"),
    [
        ("double", -0.0, 1 << 63),
        ("float", 1.5, 0x3FC00000),
        ("std::int64_t", -1, (1 << 64) - 1),
        ("std::uint64_t", (1 << 64) - 1, (1 << 64) - 1),
        ("int", -2, 0xFFFFFFFE),
        ("ap_fixed<65,1>", -1, (1 << 65) - 1),
        ("ap_ufixed<8,4>", 255, 255),
        ("float16", 0x8000, 0x8000),
    ],
)
def test_words(spelled: str, code: object, word: int) -> None:
    """A word is the bits of a code or a number, and back."""
    t = NUMBERS.get(spelled) or parse_type(spelled)
    assert word_of(code, t) == word
    assert repr(code_of(word, t)) == repr(code)


def test_the_manifest_tells_what_there_is() -> None:
    """A person finds the file by family, operation and path."""
    for entry in json.loads((GOLDEN / MANIFEST).read_text())["files"]:
        assert {"file", "family", "operation", "path", "groups", "vectors"} <= set(entry)
