"""Whether a mutant of a kernel is refuted: first at pointed inputs, then by the solver.

What differs at an input that meets the premises is refuted, with that input for a witness; most
mutants are, and only what is left costs the solver's time.
"""

import functools
import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from harness.prove import Outcome, Untranslatable, VacuousError, source
from harness.prove.evaluate import values
from harness.prove.solve import Claim, decide
from harness.prove.source import Source
from harness.prove.terms import Word
from scripts.mutants.edits import Mutant, mutants_of

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

__all__ = ["BY_NIGHT", "PREFIX", "ROOT", "drawn", "kernel_mutants", "place_of", "told_apart"]

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "harness.quantize."
Asks = Callable[[Source], Iterable[Claim]]
#: Each takes half a millisecond; a solver finds what they miss.
POINTS = 40
BY_NIGHT = os.environ.get("HARNESS_HYPOTHESIS") == "nightly"
#: Where a mutant stands: file, line and column.
Place = tuple[str, int, int]


def pointed(width: int) -> list[int]:
    """Ends, ties and carries of a word: powers of two, their neighbours and opposites; in a mix."""
    whole = 1 << width
    found = {1, 2, 3, whole - 2, whole // 3, 2 * whole // 3}
    for k in range(width):
        found |= {sign * ((1 << k) + near) for near in (-1, 0, 1) for sign in (1, -1)}
        found |= {3 << k, 5 << k, -3 << k}  # ties, to even and from it
    mixed = sorted({n % whole for n in found})
    random.Random(width).shuffle(mixed)
    return [0, whole - 1, whole >> 1, (whole >> 1) - 1, *mixed]


def points(claim: Claim) -> Iterator[list[tuple[Word, int]]]:
    """Inputs of a claim, of several words each in a mix of its own; and ends beside ends."""
    words = list(claim.inputs.values())
    every = [pointed(w.width) for w in words]
    for corner in itertools.product(*(p[:2] for p in every)):
        yield [*zip(words, corner, strict=True)]
    rng = random.Random(0)
    for k in range(POINTS):
        chosen = [p[k % len(p)] if k % 2 else rng.choice(p) for p in every]
        yield [*zip(words, chosen, strict=True)]


def differs(claim: Claim) -> bool:
    """Whether some pair differs at a pointed input that meets the premises."""
    count = len(claim.pairs)
    asked = [
        *(p.subject for p in claim.pairs),
        *(p.law for p in claim.pairs),
        *(g.word() for g in claim.given),
    ]
    for point in points(claim):
        found = values(asked, point)
        if all(found[2 * count :]) and found[:count] != found[count : 2 * count]:
            return True
    return False


def refuted(claims: Iterable[Claim], seconds: float) -> bool:
    """What no point refutes goes to the solver; what is undecided says nothing."""
    left = []
    for claim in claims:
        if differs(claim):
            return True
        left.append(claim)
    return any(decide(claim, seconds).outcome is Outcome.REFUTED for claim in left)


def outcome_of(
    mutant: Mutant, asks: Asks, patch: pytest.MonkeyPatch, seconds: float = 20
) -> Outcome | None:
    """Refuted, proven, or ``None`` if the source is refused."""
    name = PREFIX + Path(mutant.path).stem
    kernels = Source(name, mutant.apply((ROOT / mutant.path).read_text(encoding="utf-8")))
    whole = source.source_of
    patch.setattr(source, "source_of", lambda n: kernels if n == name else whole(n))
    try:
        return Outcome.REFUTED if refuted(asks(kernels), seconds) else Outcome.PROVEN
    except (
        Untranslatable,
        VacuousError,
        TypeError,
        AttributeError,
    ):  # these where nothing was written
        return None
    finally:
        patch.setattr(source, "source_of", whole)


def kernel_mutants(name: str, scopes: Iterable[str] = ()) -> list[Mutant]:
    """The mutants of a module, or of some functions, without those that the project explains."""
    path, wanted = f"harness/quantize/{name}.py", {*scopes}
    rows = tomllib.loads((ROOT / "tests/mutants/equivalent.toml").read_text(encoding="utf-8"))
    found = mutants_of(path, (ROOT / path).read_text(encoding="utf-8"))
    return [m for m in found if m.key not in rows and (not wanted or m.scope in wanted)]


def drawn(found: list[Mutant], every: int, same: Iterable[Place]) -> list[Mutant]:
    """All of them by night; by day one in so many of those that are not the same."""
    left = {*same}
    if not BY_NIGHT:
        found = [m for m in found if int(m.key, 16) % every == 0]
        found = [m for m in found if place_of(m) not in left]
    assert len(found) > 3
    return found


def told_apart(
    asked: list[Mutant],
    asks: Callable[[Mutant, Source], Iterable[Claim]],
    patch: pytest.MonkeyPatch,
) -> tuple[set[Place], set[Place]]:
    """Which mutants are proven, and which are refused; all others are refuted."""
    proven, refused = set(), set()
    for mutant in asked:
        outcome = outcome_of(mutant, functools.partial(asks, mutant), patch)
        if outcome is Outcome.PROVEN:
            proven.add(place_of(mutant))
        elif outcome is None:
            refused.add(place_of(mutant))
    return proven, refused


def place_of(mutant: Mutant) -> Place:
    return Path(mutant.path).stem, mutant.line, mutant.column
