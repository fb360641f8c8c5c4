"""From trained torch models to typed models, and on to hls4ml."""

from harness.hls.convert import (  # noqa: F401  # enter the builders
    activations,
    attention,
    contraction,
    layers,
    pools,
    sequences,
)
from harness.hls.convert.build import from_torch
from harness.hls.convert.export import hls4ml_config, with_typed_weights
from harness.hls.convert.fold import fold_batch_norms
from harness.hls.convert.precision import ConversionError

__all__ = [
    "ConversionError",
    "fold_batch_norms",
    "from_torch",
    "hls4ml_config",
    "with_typed_weights",
]
