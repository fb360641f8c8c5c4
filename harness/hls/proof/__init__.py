"""The proof of the layers: random configurations of each, held against hls4ml's kernels."""

from harness.hls.proof import dense  # noqa: F401  # enters its layers
from harness.hls.proof.draw import FAMILIES, Draw, family
from harness.hls.proof.run import Proof, prove

__all__ = ["FAMILIES", "Draw", "Proof", "family", "prove"]
