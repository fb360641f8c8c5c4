"""The loop of a type: made once, compiled when it is first called, for the type's modes alone."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from harness.quantize.compiled import kernel
from harness.quantize.fixed_values import (
    BLOCK,
    SAT,
    SAT_SYM,
    WRAP,
    WRAP_SM,
    FloatPlan,
    float_plan,
    quantize_tame,
    quantize_wild,
    wild_limit,
)
from harness.types import ApFixed

__all__ = ["Loop", "loop_of"]


class Loop(NamedTuple):
    """What a call takes of a type: a plan of many numbers is slow to hand over."""

    dtype: Any  # of the scaled numbers
    values: Any  # the plan, whose last is the factor of values, as one array
    codes: Any  # the same, for codes
    limit: Any  # in an array, too
    tame: Any  # the compiled loop
    wild: Any  # ... for floats that must be tamed
    rescue: int  # 1 if all must be

    def write(self, x: Any, out: Any, facts: Any) -> None:
        """Write values or codes of a flat array of the dtype: ``facts`` are those of one or both.

        Few arrays have a float that must be tamed, and the loop for them is compiled where one has.
        """
        done, size = 0, BLOCK
        if not self.rescue:
            done = self.tame(x, x.view(self.limit.dtype), out, facts, self.limit)
        while done < x.size:
            # Each time more is taken for wild, so that few calls are enough if all of it is.
            end = x.size if self.rescue else min(done + size, x.size)
            self.wild(x[done:end], out[done:end], facts)
            done, size = end, 2 * size
            if done < x.size:
                rest = x[done:]
                done += self.tame(rest, rest.view(self.limit.dtype), out[done:], facts, self.limit)


@functools.lru_cache(maxsize=4096)
def loop_of(t: ApFixed, source: str) -> Loop | None:
    """The loop for inputs of dtype ``source``; ``None`` if only the integer core is exact."""
    p = float_plan(t, source)
    if p is None:
        return None
    values = np.array([*map(float, p), float(p.inverse)], p.one.dtype)
    codes = np.array([*map(float, p), 1.0], p.one.dtype)
    limit = np.array([wild_limit(p)])
    return Loop(p.one.dtype, values, codes, limit, *_loops_for(*_modes(p)), p.rescue)


def _modes(p: FloatPlan) -> tuple[int, int, int, int]:
    """What of a plan decides which lines are run: types that share it share their loop."""
    if p.o == WRAP_SM:
        return p.q, p.o, min(p.n, 2), 1
    if p.o == WRAP:
        return p.q, p.o, min(p.n, 1), 1 if p.n else p.signed
    return p.q, SAT if p.o == SAT_SYM else p.o, 0, 1


@functools.cache
def _loops_for(q: int, o: int, n: int, signed: int) -> tuple[Any, Any]:
    """The two loops of modes, which are compiled when they are called first."""
    known = {"q": q, "o": o, "n": n, "signed": signed}
    return run_tame.given(**known), run_wild.given(**known)


@kernel(nogil=True, error_model="numpy")
def run_tame(x: Any, words: Any, out: Any, facts: Any, limit: Any) -> Any:
    """:func:`quantize_tame` by the facts of a loop."""
    return quantize_tame(x, words, limit[0], out, facts[20], _plan_of(facts))


@kernel(nogil=True, error_model="numpy")
def run_wild(x: Any, out: Any, facts: Any) -> None:
    """:func:`quantize_wild` by the facts of a loop."""
    quantize_wild(x, out, facts[20], _plan_of(facts))


@kernel(nogil=True)
def _plan_of(facts: Any) -> FloatPlan:
    return FloatPlan(
        facts[0],
        facts[1],
        facts[2],
        facts[3],
        facts[4],
        facts[5],
        facts[6],
        facts[7],
        facts[8],
        facts[9],
        facts[10],
        facts[11],
        facts[12],
        facts[13],
        facts[14],
        facts[15],
        facts[16],
        facts[17],
        facts[18],
        facts[19],
    )
