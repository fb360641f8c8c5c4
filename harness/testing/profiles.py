"""Hypothesis profiles: the same examples every day by default, many random ones at night."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

__all__ = ["load_profile"]

#: Environment variable that chooses the profile.
VARIABLE = "HARNESS_HYPOTHESIS"


def load_profile() -> str:
    """Register ``default`` and ``nightly``, load the one that HARNESS_HYPOTHESIS names.

    ``default`` is derandomized; ``nightly`` is large and random.  Call it in ``conftest.py``.

    Returns:
        The name of the profile.

    Raises:
        ValueError: for any other name.
    """
    # A first example may compile a kernel, which no deadline should count.
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        "default", derandomize=True, deadline=None, max_examples=100, suppress_health_check=slow
    )
    settings.register_profile(
        "nightly", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=slow
    )
    name = os.environ.get(VARIABLE, "default")
    if name not in ("default", "nightly"):
        raise ValueError(f"unknown profile {name!r} in {VARIABLE}; allowed: default, nightly")
    settings.load_profile(name)
    return name
