"""One oracle for the session, and the Hypothesis profile."""

import os
from collections.abc import Iterator

import pytest
import torch

from harness.oracle import Oracle
from harness.quantize.compiled import expect_many
from harness.testing import load_profile

load_profile()
# A process of the tests asks for every mode; those compiled alone have tests of their own, in
# tests/quantize/test_quantize_first_call.py.
expect_many()
# In a GitHub action what the tests run would annotate it and write into its summary; in a terminal
# it would be as wide.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "COLUMNS"):
    os.environ.pop(_name, None)
# The workers of a run have a core each: the threads of a matrix product would wait for another's.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The vendor's pinned headers."""
    found = Oracle()
    yield found
    found.close()
