"""Models quantized by a configuration."""

from harness.interfaces.aimet.common.defs import QuantizationDataType, QuantScheme
from harness.interfaces.aimet.quantsim.sim import QuantizationSimModel, load_encodings_to_sim

__all__ = [
    "QuantScheme",
    "QuantizationDataType",
    "QuantizationSimModel",
    "load_encodings_to_sim",
]
