"""``quantize``, ``dequantize`` and ``quantize_dequantize`` in each of AIMET's spellings.

The range of integers is ``qmin`` and ``qmax``, or a ``bitwidth`` and whether it is ``signed``, or
``num_steps`` and the same; positional or by keyword::

    quantize(x, scale, offset, 8, True)
    quantize(x, scale, offset, qmin=-128, qmax=127, block_size=(1, 16))
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from harness.interfaces.aimet.quantization.affine.backends import torch_builtins
from harness.interfaces.aimet.quantization.affine.grid import range_of

__all__ = ["dequantize", "quantize", "quantize_dequantize"]


def quantize(tensor: Tensor, scale: Tensor, offset: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``clamp(round(tensor / scale) - round(offset), qmin, qmax)``: integers, in its dtype.

    Args:
        tensor: of a float dtype.
        scale: broadcasts against ``tensor``, or counts its blocks.
        offset: as ``scale``.
        *args: ``bitwidth, signed=False, block_size=None`` or ``qmin, qmax, block_size=None``.
        **kwargs: the same by name, or ``num_steps``.

    Raises:
        TypeError: for arguments that are of no spelling.
        RuntimeError: for shapes that do not fit, and integers that the dtype does not hold.
    """
    qmin, qmax, block_size = range_of("quantize", args, kwargs)
    return torch_builtins.quantize(tensor, scale, offset, qmin, qmax, block_size)


def quantize_dequantize(
    tensor: Tensor, scale: Tensor, offset: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    """``(q + round(offset)) * scale`` of those integers; arguments as :func:`quantize`."""
    qmin, qmax, block_size = range_of("quantize_dequantize", args, kwargs)
    return torch_builtins.quantize_dequantize(tensor, scale, offset, qmin, qmax, block_size)


def dequantize(tensor: Tensor, scale: Tensor, offset: Tensor, block_size: Any = None) -> Tensor:
    """``(tensor + round(offset)) * scale``, rounded once."""
    return torch_builtins.dequantize(tensor, scale, offset, block_size)
