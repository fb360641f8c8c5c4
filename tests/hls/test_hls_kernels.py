"""Every layer against its C++ twin: random types, sizes, weights and inputs, no code differs."""

import pytest

from harness.hls.proof import FAMILIES, prove
from harness.oracle import Oracle


@pytest.fixture(scope="module")
def oracle():
    with_cache = Oracle()
    yield with_cache
    with_cache.close()


@pytest.mark.parametrize("kernel", FAMILIES)
def test_a_layer_is_its_kernel(kernel, oracle):
    (proof,) = prove(oracle, [kernel], configurations=4, values=2000)
    assert proof.configurations == 4
    assert proof.codes > 0
    assert proof.differences == 0, proof.first
