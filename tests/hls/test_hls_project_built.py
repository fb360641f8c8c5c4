"""Compiled projects are kept by what they are made of, and slow ones are compiled without -O1."""

import pytest

from harness.hls.project import built
from harness.oracle import CompileError

SOURCE = '#include "part.h"\nextern "C" int answer() { return PART; }\n'


@pytest.fixture
def unit(tmp_path, monkeypatch):
    """A translation unit with a header, and an empty cache."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("work", "include"):
        (tmp_path / name).mkdir()
    (tmp_path / "work/glue.cpp").write_text(SOURCE)
    (tmp_path / "include/part.h").write_text("#define PART 1\n")

    def make(folder="work"):
        include = tmp_path / "include"
        source = tmp_path / folder / "glue.cpp"
        return built.shared_object([f"-I{include}"], source, [include], "glue")

    return make


def compilations(monkeypatch):
    """The options of every compiler that is started from now on."""
    seen = []
    real = built.compile_shared

    def counted(compiler, options, *rest):
        seen.append(options)
        return real(compiler, options, *rest)

    monkeypatch.setattr(built, "compile_shared", counted)
    return seen


def test_the_same_sources_are_compiled_once(unit, tmp_path, monkeypatch):
    """From whatever folder; other sources, or a damaged file, are compiled again."""
    seen = compilations(monkeypatch)
    first = unit()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/glue.cpp").write_text(SOURCE)
    assert unit("elsewhere") == unit() == first
    assert len(seen) == 1
    (tmp_path / "include/part.h").write_text("#define PART 2\n")
    assert unit() != first
    assert len(seen) == 2
    first.write_bytes(first.read_bytes()[:100])
    (tmp_path / "include/part.h").write_text("#define PART 1\n")
    assert unit() == first
    assert len(seen) == 3
    assert first.stat().st_size > 1000
    assert not list(first.parent.glob("building-*"))


SLOW = """#!/bin/sh
case "$*" in *{slow}*) sleep 60;; esac
exec g++ "$@"
"""


@pytest.mark.parametrize("slow", ["-O1", "-O"])
def test_a_compiler_that_does_not_come_back(slow, unit, tmp_path, monkeypatch):
    """After the limit it is asked without optimisation, and at last it is said; none is left."""
    command = tmp_path / "slow"
    command.write_text(SLOW.format(slow=slow))
    command.chmod(0o755)
    monkeypatch.setenv("CXX", str(command))
    monkeypatch.setattr(built, "LIMITS", {"-O1": 1, "-O0": 60 if slow == "-O1" else 1})
    seen = compilations(monkeypatch)
    if slow == "-O1":
        assert unit().stat().st_size > 1000
    else:
        with pytest.raises(CompileError, match="glue did not compile in 0 minutes; verify parts"):
            unit()
    assert [next(o for o in options if o.startswith("-O")) for options in seen] == ["-O1", "-O0"]


def test_few_are_kept(unit, tmp_path, monkeypatch):
    """Those that were used last; a folder that cannot be written is no error."""
    monkeypatch.setattr(built, "KEPT", 2)
    made = []
    for k in range(3):
        (tmp_path / "include/part.h").write_text(f"#define PART {k}\n")
        made.append(unit())
    assert len(list(made[0].parent.glob("*.so"))) == 2
    assert made[2].exists()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "file"))
    assert unit() == tmp_path / "work/project.so"
