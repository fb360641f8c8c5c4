"""The tester is tested: every planted fault is caught by the quick profile."""

import pytest
from mutants import MUTANTS

from harness.oracle import Oracle
from harness.verify import PROFILES, Profile, run

# The types and inputs of the quick profile, fewer random values: what finds faults is the rest.
QUICK = PROFILES["quick"]
TRIMMED = Profile(QUICK.shapes, 6000, QUICK.exhaustive_width, pairs=0)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str, oracle: Oracle) -> None:
    """A quantizer with one fault differs from the C++, and the report shows a true difference."""
    verdict = run(TRIMMED, oracle=oracle, subject=MUTANTS[name], subject_name=name)
    assert not verdict.agrees
    assert verdict.mismatches
    for mismatch in verdict.mismatches:
        assert mismatch.got != mismatch.expected
        assert mismatch.expected == mismatch.reference
