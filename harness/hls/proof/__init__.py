"""The proof of the layers: random configurations of each, held against hls4ml's kernels."""

from harness.hls.proof import (  # noqa: F401  # enter their layers
    activations,
    attention,
    batchnorm,
    conv,
    dense,
    einsum,
    garnet,
    logic,
    merge,
    norm,
    pooling,
    products,
    recurrent,
    separable,
    shape,
    softmax,
    spatial,
    streamed,
    vitis,
    wrappers,
)
from harness.hls.proof.draw import FAMILIES, Draw, family, named
from harness.hls.proof.run import Proof, prove

__all__ = ["FAMILIES", "Draw", "Proof", "family", "named", "prove"]
