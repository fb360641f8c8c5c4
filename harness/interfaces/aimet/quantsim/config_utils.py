"""Change the quantizers of some modules of a ``QuantizationSimModel``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from harness.interfaces.aimet.quantization.affine.grouped import GroupedBlockQuantizeDequantize
from harness.interfaces.aimet.quantization.affine.quantizer import QuantizeDequantize
from harness.interfaces.aimet.quantization.float import FloatQuantizeDequantize
from harness.interfaces.aimet.quantsim.sim import QuantizationSimModel

__all__ = [
    "set_activation_quantizers_to_float",
    "set_blockwise_quantization_for_weights",
    "set_grouped_blockwise_quantization_for_weights",
]

Chosen = Iterable[nn.Module | type[nn.Module]] | Callable[[nn.Module], bool]


def set_activation_quantizers_to_float(
    sim: QuantizationSimModel,
    arg: Chosen,
    exponent_bits: int | None = None,
    mantissa_bits: int | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """A float quantizer in the place of every quantizer of some modules' inputs and outputs.

    Args:
        sim: whose modules.
        arg: modules and classes of them, or a function that says so of a module.
        exponent_bits: of the float; with ``mantissa_bits``.
        mantissa_bits: of the float.
        dtype: float16 or bfloat16, in the place of bits.

    Raises:
        RuntimeError: for ``arg`` that is neither.
    """
    for module in _modules(sim, arg):
        for holder in (module.input_quantizers, module.output_quantizers):
            for k, quantizer in enumerate(holder):
                if quantizer is not None:
                    holder[k] = FloatQuantizeDequantize(exponent_bits, mantissa_bits, dtype)


def set_blockwise_quantization_for_weights(
    sim: QuantizationSimModel,
    arg: Chosen,
    bitwidth: int,
    symmetric: bool,
    block_size: int | Sequence[int],
) -> None:
    """Quantizers by blocks for some modules' weights.

    Args:
        sim: whose modules.
        arg: modules and classes of them, or a function that says so of a module.
        bitwidth: of the weights.
        symmetric: whether the offset is 0.
        block_size: for each axis, -1 for all of it; a number is along the input channels.

    Raises:
        RuntimeError: for a weight that does not split into such blocks; none is changed then.
    """

    def made(shape: Sequence[int], blocks: Sequence[int], _: nn.Module) -> Any:
        return QuantizeDequantize(shape, bitwidth, symmetric, block_size=blocks)

    _set(sim, arg, block_size, made)


def set_grouped_blockwise_quantization_for_weights(
    sim: QuantizationSimModel,
    arg: Chosen,
    bitwidth: int,
    symmetric: bool,
    decompressed_bw: int,
    block_size: int | Sequence[int],
    block_grouping: int | Sequence[int] = -1,
) -> None:
    """... whose scales are whole multiples of their group's.

    Args:
        sim: whose modules.
        arg: modules and classes of them, or a function that says so of a module.
        bitwidth: of the weights.
        symmetric: must be true.
        decompressed_bw: bits of a weight times the integer of its scale.
        block_size: for each axis, -1 for all of it; a number is along the input channels.
        block_grouping: how many blocks are a group, in the same way.

    Raises:
        RuntimeError: for a weight that does not split so; none is changed then.
    """

    def made(shape: Sequence[int], blocks: Sequence[int], module: nn.Module) -> Any:
        groups = _for_each_axis(module, block_grouping, 1)
        return GroupedBlockQuantizeDequantize(
            shape, bitwidth, symmetric, decompressed_bw, block_size=blocks, block_grouping=groups
        )

    _set(sim, arg, block_size, made)


def _set(
    sim: QuantizationSimModel,
    arg: Chosen,
    block_size: int | Sequence[int],
    made: Callable[[Sequence[int], Sequence[int], nn.Module], Any],
) -> None:
    new = []
    for module in _modules(sim, arg):
        weight = getattr(module, "weight", None)
        if not isinstance(weight, torch.Tensor):
            continue
        blocks = _for_each_axis(module, block_size, -1)
        if len(blocks) != weight.dim() or any(
            size != -1 and n % size for n, size in zip(weight.shape, blocks, strict=True)
        ):
            raise RuntimeError(f"a weight {tuple(weight.shape)} has no blocks of {list(blocks)}")
        shape = [1 if b == -1 else n // b for n, b in zip(weight.shape, blocks, strict=True)]
        new.append((module, made(shape, blocks, module).to(weight.device)))
    for module, quantizer in new:
        module.param_quantizers["weight"] = quantizer


def _for_each_axis(module: Any, size: int | Sequence[int], beyond: int) -> Sequence[int]:
    """A size for each axis of a weight, from one of the input channels."""
    if not isinstance(size, int):
        return list(size)
    if not isinstance(module, nn.Linear | _ConvNd):
        kind = type(module).__name__
        raise RuntimeError(f"one size is for Linear and convolutions, not {kind}: give a list")
    channels = [size, 1] if isinstance(module, _ConvTransposeNd) else [1, size]
    return channels + [beyond] * (module.weight.dim() - 2)


def _modules(sim: QuantizationSimModel, arg: Chosen) -> Iterator[Any]:
    """The chosen quantized modules."""
    if isinstance(arg, Iterable):
        kinds = [each for each in arg if isinstance(each, type)]
        some = [each for each in arg if isinstance(each, nn.Module)]
        if len(kinds) + len(some) != len(list(arg)):
            raise RuntimeError(f"modules are chosen by themselves or by classes, not {arg!r}")
        return (m for m in sim.qmodules() if isinstance(m, tuple(kinds)) or m in some)
    if callable(arg):
        return (module for module in sim.qmodules() if arg(module))
    raise RuntimeError(f"modules are chosen by a list or a function, not {arg!r}")
