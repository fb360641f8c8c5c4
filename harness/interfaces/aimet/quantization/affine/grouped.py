"""``GroupedBlockQuantizeDequantize``: scales that are whole multiples of their group's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.aimet.quantization.affine.backends import torch_builtins
from harness.interfaces.aimet.quantization.affine.quantizer import QuantizeDequantize
from harness.interfaces.aimet.utils import ste_round

__all__ = ["GroupedBlockQuantizeDequantize"]


class GroupedBlockQuantizeDequantize(QuantizeDequantize):
    """Symmetric blocks whose scales have few bits: ``gamma * s`` with a float ``gamma`` of a group.

    ``gamma`` is the largest scale of the group over ``2**(decompressed_bw - bitwidth)``, and ``s``
    an integer of at least 1.

    Args:
        shape: of the scales, one for each block.
        bitwidth: of the values.
        symmetric: must be true.
        decompressed_bw: bits of a value times its ``s``; not below ``bitwidth``.
        encoding_analyzer: as in ``QuantizeDequantize``.
        block_size: as in ``QuantizeDequantize``.
        block_grouping: how many blocks of each axis are a group, -1 for all; 1 each if ``None``.

    Raises:
        RuntimeError: for asymmetric quantization, groups that do not divide the shape, and a
            ``decompressed_bw`` that is too small.
    """

    def __init__(
        self,
        shape: Sequence[int],
        bitwidth: int,
        symmetric: bool,
        decompressed_bw: int,
        encoding_analyzer: Any = None,
        block_size: Sequence[int] | None = None,
        block_grouping: Sequence[int] | None = None,
    ) -> None:
        super().__init__(shape, bitwidth, symmetric, encoding_analyzer, block_size)
        groups = (1,) * len(self.shape) if block_grouping is None else block_grouping
        fits = len(groups) == len(self.shape) and all(
            size == -1 or n % size == 0 for n, size in zip(self.shape, groups, strict=True)
        )
        if not symmetric:
            raise RuntimeError("grouped blocks are symmetric")
        if not fits:
            raise RuntimeError(f"groups of {groups} do not divide blocks of {self.shape}")
        if decompressed_bw < bitwidth:
            raise RuntimeError(f"decompressed_bw {decompressed_bw} is below bitwidth {bitwidth}")
        self.decompressed_bw, self.block_grouping = decompressed_bw, groups

    def get_scale(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """The scales: whole multiples of each group's ``gamma``."""
        scale = super().get_scale(dtype)
        if scale is None or all(size == 1 for size in self.block_grouping):
            return scale
        gamma = self.get_per_channel_scale(dtype)
        assert gamma is not None
        steps = torch.clamp(ste_round(self._grouped(scale) / gamma), min=1)
        return (steps * gamma).reshape(scale.shape)

    def get_per_channel_scale(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """``gamma`` of each group, with 1 in each axis that counts the members."""
        scale = super().get_scale(dtype)
        if scale is None:
            return None
        members = tuple(range(1, 2 * len(self.shape), 2))
        largest = self._grouped(scale).amax(members, keepdim=True)
        gamma: Tensor = largest / 2 ** (self.decompressed_bw - self.bitwidth)
        return gamma

    def _grouped(self, scale: Tensor) -> Tensor:
        """The scales with each axis split into groups and members."""
        counts = [
            1 if size == -1 else n // size
            for n, size in zip(self.shape, self.block_grouping, strict=True)
        ]
        return torch_builtins.reshape_tensor_for_blocks(scale, counts, self.block_grouping)
