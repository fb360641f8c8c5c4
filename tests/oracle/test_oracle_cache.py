"""Compiled kernels are kept, shared, checked, and forgotten on request."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import ApFixed
from harness.oracle import Oracle, OracleError, kernels

T = ApFixed(6, 3, overflow="SAT")
ASK = (
    "from harness import ApFixed; from harness.oracle import Oracle;"
    "print(Oracle().codes([1.3, 9.0], ApFixed(6, 3, overflow='SAT')).tolist())"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(folder))
    return folder


def _answer(oracle: Oracle) -> list[int]:
    return oracle.codes([1.3, 9.0], T).tolist()


def test_kept_between_oracles(cache: Path) -> None:
    """The second oracle finds what the first compiled, and compiles nothing."""
    assert _answer(Oracle()) == [10, 31]
    before = sorted(cache.rglob("*"))
    assert [p.suffix for p in before if p.is_file()] == [".json", ".so"]
    again = Oracle()
    assert again.builder.missing([kernels.from_number("double", T)]) == []
    assert _answer(again) == [10, 31]
    assert sorted(cache.rglob("*")) == before


@pytest.mark.parametrize("suffix", [".so", ".json"])
def test_damaged_entries_are_compiled_again(cache: Path, suffix: str) -> None:
    """A truncated object or index is not used."""
    assert _answer(Oracle()) == [10, 31]
    (entry,) = cache.rglob(f"*{suffix}")
    half = entry.read_bytes()[:100]
    entry.unlink()  # this process still runs what it loaded
    entry.write_bytes(half)
    again = Oracle()
    assert again.builder.missing([kernels.from_number("double", T)]) != []
    assert _answer(again) == [10, 31]


def test_two_processes_at_once(cache: Path) -> None:
    """Two processes that compile the same kernel into one cache both answer."""
    pair = [
        subprocess.Popen([sys.executable, "-c", ASK], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [p.communicate()[0] for p in pair] == ["[10, 31]\n"] * 2
    (index,) = cache.rglob("*.json")
    assert len(json.loads(index.read_text())["kernels"]) == 1


def test_forgettable(cache: Path) -> None:
    """Without a cache nothing is left behind."""
    oracle = Oracle(cache=False)
    folder = oracle.builder.folder
    assert _answer(oracle) == [10, 31]
    oracle.close()
    del oracle
    assert not cache.exists()
    assert not folder.exists()


def test_a_killed_compilation_is_swept(cache: Path) -> None:
    """What a killed compiler left is removed once it is old, and not before."""
    folder = Oracle().builder.folder
    old, young = folder / "building-old", folder / "building-young"
    for left in (old, young):
        left.mkdir()
        (left / "group.cpp").write_text("")
    os.utime(old, (time.time() - 7200,) * 2)
    Oracle()
    assert not old.exists()
    assert young.exists()


def test_unwritable_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that cannot be written is one line that names the remedy."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(blocker))
    with pytest.raises(OracleError, match="use --no-cache"):
        Oracle()
