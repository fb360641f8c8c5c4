"""The committed vectors, read once; and a small folder of casts for the simulators."""

from dataclasses import replace

import pytest

from harness.golden import Group, Truth, committed, golden_directory


@pytest.fixture(scope="session")
def truths() -> dict[str, Truth]:
    """Every committed truth file by name."""
    return committed(golden_directory())


@pytest.fixture(scope="session")
def casts(truths: dict[str, Truth]) -> tuple[Group, ...]:
    """A few groups of casts, short ones, of one bit, of 65 bits and between."""
    groups = truths["fixed/cast.json"].groups
    widths = {g.target.width: g for g in groups}
    chosen = [widths[width] for width in (1, 4, 8, 65)]
    return tuple(replace(g, id=f"{k:04d}", cases=g.cases[:60]) for k, g in enumerate(chosen))
