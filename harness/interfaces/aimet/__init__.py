"""AIMET's interface, as released: a changed import line serves its users.

``import harness.interfaces.aimet as aimet`` stands for ``import aimet_torch.v2 as aimet``, and
``import harness.interfaces.aimet.quantization as Q`` for ``aimet_torch.v2.quantization``; so with
``nn``, ``quantsim`` and ``utils`` below it.
"""

from harness.extras import need

need("torch", "harness.interfaces.aimet", "torch")

from types import SimpleNamespace

from harness.interfaces.aimet import nn, quantization, quantsim, utils
from harness.interfaces.aimet.quantization import affine, float, tensor
from harness.interfaces.aimet.quantsim import QuantizationSimModel, QuantScheme
from harness.nn.model import fold_batch_norms

__all__ = [
    "QuantScheme",
    "QuantizationSimModel",
    "affine",
    "batch_norm_fold",
    "float",
    "nn",
    "quantization",
    "quantsim",
    "tensor",
    "utils",
]

batch_norm_fold = SimpleNamespace(fold_all_batch_norms=fold_batch_norms)
