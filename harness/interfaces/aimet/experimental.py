"""``propagate_output_encodings``: one quantizer for all that an operation joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from harness.interfaces.aimet.quantization.affine.grid import signed_range
from harness.interfaces.aimet.quantization.affine.quantizer import QuantizeDequantize
from harness.interfaces.aimet.quantsim.config import op_type
from harness.interfaces.aimet.quantsim.graph import Operation
from harness.interfaces.aimet.quantsim.sim import QuantizationSimModel

__all__ = ["propagate_output_encodings", "set_matmul_second_input_producer_to_8bit_symmetric"]

#: Functions and modules that change no value.
_SAME = {
    *("reshape", "view", "permute", "transpose", "flatten", "squeeze", "unsqueeze", "expand"),
    *("contiguous", "movedim", "swapaxes", "narrow", "chunk", "split", "clone", "__getitem__"),
}


def propagate_output_encodings(
    sim: QuantizationSimModel, arg: type[nn.Module] | Callable[[nn.Module], bool]
) -> None:
    """Let the inputs of some modules be quantized by the quantizer of their output.

    It takes the place of the quantizers where these inputs come from: of a module's output, of the
    model's input, past what changes no value.

    Args:
        sim: whose quantizers are shared.
        arg: which modules: a class, or a function that says so of a module.
    """
    chosen = arg if not isinstance(arg, type) else (lambda module: isinstance(module, arg))
    for operation in reversed(sim.graph.operations):
        module: Any = operation.module
        if module is not None and chosen(module) and module.output_quantizers[0] is not None:
            _propagate(operation, module.output_quantizers[0])


def _propagate(operation: Operation, quantizer: Any) -> None:
    module: Any = operation.module
    for k, source in enumerate(operation.inputs):
        if isinstance(source, nn.Parameter):
            continue
        if source is None:
            if module is not None and module.input_quantizers[k] is not None:
                module.input_quantizers[k] = quantizer
            continue
        made: Any = source.module
        if made is not None:
            for place, there in enumerate(made.output_quantizers):
                if there is not None:
                    made.output_quantizers[place] = quantizer
        name = source.function or op_type(made.parent()).lower()
        if name in _SAME:
            _propagate(source, quantizer)


def set_matmul_second_input_producer_to_8bit_symmetric(sim: QuantizationSimModel) -> None:
    """Let what comes to each ``MatMul`` second be of signed 8 bits: the quantizer nearest to it."""
    for operation in sim.graph.operations:
        module: Any = operation.module
        if module is None or op_type(module.parent()) != "MatMul" or len(operation.inputs) < 2:
            continue
        quantizer = module.input_quantizers[1] or _nearest(operation.inputs[1])
        if isinstance(quantizer, QuantizeDequantize):
            quantizer.symmetric = True
            quantizer.qmin, quantizer.qmax = signed_range(8, signed=True)


def _nearest(source: Any) -> Any:
    """The output quantizer that a tensor has passed last."""
    while isinstance(source, Operation):
        made: Any = source.module
        if made is not None and made.output_quantizers[0] is not None:
            return made.output_quantizers[0]
        source = source.inputs[0] if source.inputs else None
    return None
