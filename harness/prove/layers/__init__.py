"""Typed layers and hls4ml's kernels, for every input that a layer can be given."""

from harness.prove.layers.checked import LayerQuestion, prove_output
from harness.prove.layers.exhaustive import TooManyError, input_count, prove_layer
from harness.prove.layers.small import check_families, prove_families, small

__all__ = [
    "LayerQuestion",
    "TooManyError",
    "check_families",
    "input_count",
    "prove_families",
    "prove_layer",
    "prove_output",
    "small",
]
