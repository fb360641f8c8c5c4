"""Does the hardware compute my model?  Three questions to an hls4ml project, one record."""

from harness.hls.check.advice import Advice, Change
from harness.hls.check.fidelity import Fidelity, LayerLoss, Limits, Loss, measure
from harness.hls.check.findings import Findings, check, examined
from harness.hls.check.reference import Reference, read_reference, reference_of

__all__ = [
    "Advice",
    "Change",
    "Fidelity",
    "Findings",
    "LayerLoss",
    "Limits",
    "Loss",
    "Reference",
    "check",
    "examined",
    "measure",
    "read_reference",
    "reference_of",
]
