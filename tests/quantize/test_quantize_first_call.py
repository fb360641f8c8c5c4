"""What a first call compiles: the loop that is asked for, and nothing else.  Counted, not timed."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.quantize.compiled import _tell
from harness.types import Overflow, Rounding

PROGRAM = """
import numpy as np
from numba.core import event
from harness import ApFixed, MiniFloat, quantize, quantize_codes

class Names(event.Listener):
    def on_start(self, happened):
        function = happened.data["dispatcher"].py_func
        entry = function.__name__.startswith("run_")
        names.append(function.__qualname__ if entry else function.__name__)
    def on_end(self, happened):
        pass

names = []
event.register("numba:compile", Names())
x = np.linspace(-20, 20, 100, dtype=np.float32)
"""
NIGHTLY = "nightly" in os.environ.get("HARNESS_HYPOTHESIS", "")
SAT, WRAP = ('ApFixed(8, 3, rounding="RND_CONV", overflow="SAT")', "ApFixed(8, 3)")
#: The loop for floats in order, and what it is made of, beside those of a mode.
TAME = {"quantize_tame", "_plan_of", "_is_wild", "_block", "quantize"}


def compiled(cache: Path, *calls: str) -> list[list[str]]:
    """What each call compiles, of the quantizers' own, in a new process, which says nothing."""
    lines = "".join(f"{call}; print(names); names.clear()\n" for call in calls)
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", PROGRAM + lines]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = map(ast.literal_eval, done.stdout.splitlines())
    return [[name for name in names if not name.endswith("impl")] for names in found]  # of Numba


def test_one_mode_is_compiled(tmp_path: Path) -> None:
    """Each mode is compiled by itself when it is asked for, once, and another process finds it."""
    calls = (
        f"quantize(x, {SAT})",
        f"quantize(x, {SAT})",
        'quantize(x, ApFixed(9, 2, rounding="RND_CONV", overflow="SAT_SYM"))',
        f"quantize(x, {WRAP})",
    )
    first, again, alike, other = compiled(tmp_path, *calls)
    entry = "run_tame_q4_o0_n0_signed1"
    assert sorted(first) == sorted({*TAME, "_saturate", entry})
    assert (again, alike) == ([], [])
    entry = "run_tame_q5_o3_n0_signed1"
    assert sorted(other) == sorted({*TAME, "_wrap_signed", entry})
    assert compiled(tmp_path, *calls) == [[], [], [], []]


def test_wild_floats_compile_their_loop(tmp_path: Path) -> None:
    """What tames infinities and NaN is compiled where there are some."""
    tame, wild = compiled(tmp_path, f"quantize(x, {SAT})", f"x[3] = np.inf; quantize(x, {SAT})")
    assert "_tame" not in tame
    entry = "run_wild_q4_o0_n0_signed1"  # what both loops call is there already
    assert sorted(wild) == sorted({"_tame", "quantize_wild", entry})


TOLD = """
import ast, sys
import numpy as np
from harness import ApFixed, decode, quantize, quantize_codes, reference
x = np.concatenate([np.linspace(-20, 20, 641), [np.inf, 1e30]])
for rounding, overflow, *loops in ast.literal_eval(sys.argv[1]):
    t = ApFixed(6, 3, rounding=rounding, overflow=overflow)
    codes = np.array([reference.from_double(float(v), t) for v in x])
    for k, some in enumerate((x[:-2], x)):
        if not loops or 2 * k in loops:
            assert np.array_equal(quantize_codes(some, t), codes[: some.size]), t
        if not loops or 2 * k + 1 in loops:
            assert np.array_equal(quantize(some, t), decode(codes, t)[: some.size]), t
"""


def test_loops_of_several_processes_are_told_apart(tmp_path: Path) -> None:
    """Who reads what two others compiled gets each mode's own lines, in either order."""
    one = [("RND", "SAT"), ("TRN", "WRAP")]
    two = [("RND_CONV", "SAT"), ("TRN_ZERO", "SAT_ZERO")]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for modes in (one, two, one + two, two + one):
        command = [sys.executable, "-c", TOLD, repr(modes)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_every_mode_compiled_alone(tmp_path: Path) -> None:
    """Each rounding and overflow, as users compile them, is the reference's: in one loop of four.

    At night all 35 pairs in all four: to codes and to values, of numbers in order and wild ones.
    """
    modes = [
        (r.name, o.name, *(() if NIGHTLY else [(r + o) % 4]))
        for r in Rounding
        for o in Overflow
        if NIGHTLY or (r + o) % 3 == 0
    ]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", TOLD, repr(modes)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {r for r, *_ in modes} == {*Rounding.__members__}
    assert {o for _, o, *_ in modes} == {*Overflow.__members__}


def test_float_types_compile_their_rounding(tmp_path: Path) -> None:
    """A type that rounds to nearest even and has subnormals is rounded in one loop."""
    values, codes = compiled(
        tmp_path, "quantize(x, MiniFloat(3, 4))", "quantize_codes(x, MiniFloat(3, 4))"
    )
    assert {"_even", "_widen", "_scales", "_has_nan"} <= {*values}
    assert not {"_nearest", "_move", "_finish"} & {*values}
    assert codes == ["values_to_codes"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sits before a terminal reads why it takes a second; a test and a file do not."""
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    _tell("under pytest")
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    _tell("compiling")
    monkeypatch.setattr(sys, "stderr", pipe)
    _tell("into a file")
    assert (terminal.getvalue(), pipe.getvalue()) == ("compiling\n", "")
