"""Torch's modules as they are, but for a ``logger`` that sees what goes in and comes out.

``LinearTransparent`` and its kin, called as FxPyTorch calls its own::

    from harness.nn.transparent import ActivationLogger, LinearTransparent

    layer, logger = LinearTransparent(10, 5), ActivationLogger()
    y = layer(x, logger=logger)
    logger.activations["output"]
"""

from __future__ import annotations

from typing import Any

from torch import nn

from harness.nn.logger import ActivationLogger

__all__ = [
    "ActivationLogger",
    "Conv2dTransparent",
    "DropoutTransparent",
    "LSTMTransparent",
    "LayerNormTransparent",
    "LinearTransparent",
    "MultiheadAttentionTransparent",
    "SoftmaxTransparent",
    "TransformerEncoderLayerTransparent",
    "Transparent",
]


class Transparent:
    """A mixin, before the torch module: ``forward`` takes a ``logger``.

    Attributes:
        log_name: what the logged names begin with; ``"input"`` and ``"output"`` alone if empty.
    """

    log_name: str = ""

    def forward(self, *args: Any, logger: ActivationLogger | None = None, **kwargs: Any) -> Any:
        """The parent's forward; with a ``logger``, its inputs and outputs are logged."""
        result = super().forward(*args, **kwargs)  # type: ignore[misc]
        if logger is not None:
            prefix = f"{self.log_name}." if self.log_name else ""
            logger.log(f"{prefix}input", args[0] if len(args) == 1 else args)
            logger.log(f"{prefix}output", result)
        return result


class LinearTransparent(Transparent, nn.Linear):
    """``Linear``."""


class Conv2dTransparent(Transparent, nn.Conv2d):
    """``Conv2d``."""


class LayerNormTransparent(Transparent, nn.LayerNorm):
    """``LayerNorm``."""


class SoftmaxTransparent(Transparent, nn.Softmax):
    """``Softmax``."""


class DropoutTransparent(Transparent, nn.Dropout):
    """``Dropout``."""


class LSTMTransparent(Transparent, nn.LSTM):
    """``LSTM``."""


class MultiheadAttentionTransparent(Transparent, nn.MultiheadAttention):
    """``MultiheadAttention``."""


class TransformerEncoderLayerTransparent(Transparent, nn.TransformerEncoderLayer):
    """``TransformerEncoderLayer``."""
