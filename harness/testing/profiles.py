"""Hypothesis profiles: the same examples every day by default, many random ones at night."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

__all__ = ["load_profile"]

#: Environment variable that chooses the profile.
VARIABLE = "HARNESS_HYPOTHESIS"
#: Our profiles by what the variable calls them.  They have names that are no one else's: Hypothesis
#: has a ``default`` and a ``ci`` of its own, and most suites a ``nightly``.
PROFILES = {"default": "hls-harness", "nightly": "hls-harness-nightly"}


def load_profile() -> str:
    """Register ``hls-harness`` and ``hls-harness-nightly``, and load one of them.

    ``hls-harness`` is derandomized, for every day and for a CI; ``hls-harness-nightly`` is large
    and random, and loaded where HARNESS_HYPOTHESIS is ``nightly``.  Profiles of your own stay as
    they are, and pytest's ``--hypothesis-profile`` overrides.  Call it in ``conftest.py``.

    Returns:
        The name of the profile.

    Raises:
        ValueError: if HARNESS_HYPOTHESIS names no profile of ours.
    """
    # A first example may compile a kernel, which no deadline should count.
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        PROFILES["default"],
        derandomize=True,
        deadline=None,
        max_examples=100,
        suppress_health_check=slow,
    )
    settings.register_profile(
        PROFILES["nightly"],
        derandomize=False,
        deadline=None,
        max_examples=5000,
        print_blob=True,
        suppress_health_check=slow,
    )
    asked = os.environ.get(VARIABLE, "default")
    name = PROFILES.get(asked, asked)
    if name not in PROFILES.values():
        allowed = ", ".join([*PROFILES, *PROFILES.values()])
        raise ValueError(f"unknown profile {asked!r} in {VARIABLE}; allowed: {allowed}")
    settings.load_profile(name)
    return name
