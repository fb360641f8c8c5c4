"""AIMET's interface: quantized modules by their names, and ``affine.QuantizeDequantize``.

``import harness.interfaces.aimet as aimet`` stands for ``import aimet_torch.v2 as aimet``, and
``import harness.interfaces.aimet as Q`` for ``import aimet_torch.quantization as Q``.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from harness.nn import functional, registry
from harness.nn.affine import AffineQuantizer
from harness.nn.base import QuantizedModule
from harness.nn.model import fold_batch_norms

__all__ = ["affine", "batch_norm_fold", "nn"]


class _Namespace:
    """Classes by name: of the registry, then of a module."""

    def __init__(self, *modules: Any, **more: Any) -> None:
        self._modules, self._more = modules, more

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            if not name.startswith("_") and hasattr(module, name):
                return getattr(module, name)
        if name in self.__dict__["_more"]:
            return self._more[name]
        raise AttributeError(f"aimet has no {name} here")


nn = _Namespace(
    registry,
    custom=_Namespace(registry, functional),
    QuantizationMixin=QuantizedModule,
    FakeQuantizationMixin=QuantizedModule,
)

affine = SimpleNamespace(QuantizeDequantize=AffineQuantizer)
batch_norm_fold = SimpleNamespace(fold_all_batch_norms=fold_batch_norms)
