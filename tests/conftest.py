"""One oracle for the session, and the Hypothesis profile."""

from collections.abc import Iterator

import pytest

from harness.oracle import Oracle
from harness.testing import load_profile

load_profile()


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The vendor's pinned headers."""
    found = Oracle()
    yield found
    found.close()
