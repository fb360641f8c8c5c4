"""Which loop a type has, and which floats go to which of its two halves."""

from typing import Any

import numpy as np
import pytest

from harness.quantize import compiled, loops
from harness.quantize.fixed_values import BLOCK, float_plan, quantize_wild
from harness.types import ApFixed, Overflow, Rounding

X = np.linspace(-7, 7, 57)
MODES = [mode for mode in Rounding if not mode.stochastic]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The codes of a plan, by the kernels as Python runs them."""
    monkeypatch.setattr(compiled, "njit", lambda **options: lambda function: function)
    monkeypatch.setattr(compiled, "_called", {})  # those that are compiled are for compiled code
    kernel = quantize_wild._compiled({})

    def codes(p: Any) -> list[float]:
        out = np.empty_like(X)
        kernel(X, out, p.one, p)
        return out.tolist()

    return codes


@pytest.mark.parametrize("rounding", MODES, ids=str)
def test_types_that_share_a_loop_run_the_same_lines(rounding: Rounding, written: Any) -> None:
    """What is put into a loop as known changes no code of any type that has it."""
    seen = set()
    for overflow in Overflow:
        for signed, n in [(s, n) for s in (True, False) for n in range(4)]:
            try:
                t = ApFixed(4, 2, signed, rounding, overflow, n)
            except ValueError:
                continue
            p = float_plan(t, "float64")
            assert p is not None
            q, o, kept, sign = loops._modes(p)
            assert written(p._replace(q=q, o=o, n=kept, signed=sign)) == written(p)
            seen.add((q, o, kept, sign))
    assert len(seen) == 8  # ways to bring into range


def test_floats_that_must_be_tamed_go_to_their_loop() -> None:
    """Few at first, then more at once; the rest stays with the quick loop."""
    wild_blocks, calls = {2, 5, 6, 9}, []
    x = np.repeat(np.arange(12.0), BLOCK)[:-1]

    def tame(x: Any, words: Any, out: Any, facts: Any, limit: Any) -> int:
        assert words.dtype == limit.dtype
        assert words.size == x.size == out.size
        done = next((k for k, v in enumerate(x) if int(v) in wild_blocks), x.size)
        out[:done] = 1
        calls.append(("tame", int(x[0]), done))
        return int(done)

    def wild(x: Any, out: Any, facts: Any) -> None:
        out[:] = 2
        calls.append(("wild", int(x[0]), x.size))

    limit = np.zeros(1, np.uint64)
    out = np.zeros_like(x)
    loops.Loop(x.dtype, None, None, limit, tame, wild, 0).write(x, out, None)
    assert calls == [
        ("tame", 0, 2 * BLOCK),
        ("wild", 2, BLOCK),
        ("tame", 3, 2 * BLOCK),
        ("wild", 5, 2 * BLOCK),
        ("tame", 7, 2 * BLOCK),
        ("wild", 9, 3 * BLOCK - 1),
    ]
    assert np.flatnonzero(out == 0).size == 0
    calls.clear()
    loops.Loop(x.dtype, None, None, limit, tame, wild, 1).write(x, out, None)
    assert calls == [("wild", 0, x.size)]
