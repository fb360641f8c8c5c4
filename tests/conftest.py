"""One oracle for the session, and the Hypothesis profile."""

from collections.abc import Iterator

import pytest
import torch

from harness.oracle import Oracle
from harness.testing import load_profile

load_profile()
# The workers of a run have a core each: the threads of a matrix product would wait for another's.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The vendor's pinned headers."""
    found = Oracle()
    yield found
    found.close()
