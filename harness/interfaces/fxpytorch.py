"""The layers of FxPyTorch's interface: symmetric fixed point by configuration, a type per tensor.

A ``QType`` is an ``ApFixed`` of ``total_bits`` of which ``fractional_bits`` lie behind the point.
A layer's ``q_config`` names what is quantized: ``input``, ``activation`` (the output), the
parameters, and the points inside.  ``None`` quantizes nothing: then the layer is torch's own.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from harness.nn.attention import QuantizedMultiheadAttention, QuantizedTransformerEncoderLayer
from harness.nn.base import QuantizedModule
from harness.nn.logger import ActivationLogger
from harness.nn.norm import QuantizedLayerNorm
from harness.nn.observers import ends, holding
from harness.nn.quantizers import FixedQuantizer, name_of
from harness.nn.recurrent import QuantizedLSTM
from harness.nn.straight_through import fake_quantize
from harness.quantize import quantize
from harness.types import ApFixed

__all__ = [
    "Conv2DQConfig",
    "DropoutQConfig",
    "FxPConv2D",
    "FxPDropout",
    "FxPLSTM",
    "FxPLayerNorm",
    "FxPLinear",
    "FxPModule",
    "FxPMultiheadAttention",
    "FxPSoftmax",
    "FxPTransformerEncoderLayer",
    "LSTMQConfig",
    "LayerNormQConfig",
    "LinearQConfig",
    "MultiheadAttentionQConfig",
    "QConfig",
    "QMethod",
    "QType",
    "SoftmaxQConfig",
    "TransformerEncoderLayerQConfig",
]

#: Fractional bits of ``set_high_precision_quant``.
HIGH_PRECISION = 24


class QMethod(str, enum.Enum):
    """How a tensor is brought onto the grid: rounding, then overflow."""

    ROUND_SATURATE = "round_saturate"  # nearest, ties to even
    TRUNC_SATURATE = "trunc_saturate"  # floor
    ROUND_WRAP = "round_wrap"
    TRUNC_WRAP = "trunc_wrap"


_MODES = {
    QMethod.ROUND_SATURATE: ("RND_CONV", "SAT"),
    QMethod.TRUNC_SATURATE: ("TRN", "SAT"),
    QMethod.ROUND_WRAP: ("RND_CONV", "WRAP"),
    QMethod.TRUNC_WRAP: ("TRN", "WRAP"),
}


class QType(BaseModel):
    """The type of one tensor.

    Attributes:
        total_bits: the width, sign included.
        fractional_bits: bits behind the point; ``None`` until a ``set_..._quant`` decides them.
        q_method: rounding and overflow.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    total_bits: int = Field(ge=1, le=53)
    fractional_bits: int | None = None
    q_method: QMethod = QMethod.ROUND_SATURATE

    @property
    def type(self) -> ApFixed:
        """The ``ApFixed``; ``ValueError`` while the fractional bits are open."""
        if self.fractional_bits is None:
            raise ValueError(
                "fractional_bits are not decided; call set_no_overflow_quant(), "
                "set_min_mse_quant() or set_high_precision_quant()"
            )
        rounding, overflow = _MODES[self.q_method]
        integer = self.total_bits - self.fractional_bits
        return ApFixed(self.total_bits, integer, True, rounding, overflow)


class QConfig(BaseModel):
    """What a layer quantizes; fields that are ``None`` are left as they are."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    input: QType | None = None
    activation: QType | None = None


class LinearQConfig(QConfig):
    """Of ``FxPLinear``."""

    weight: QType | None = None
    bias: QType | None = None


class Conv2DQConfig(LinearQConfig):
    """Of ``FxPConv2D``."""


class LayerNormQConfig(LinearQConfig):
    """Of ``FxPLayerNorm``: its points too."""

    mean: QType | None = None
    variance: QType | None = None
    inverse_deviation: QType | None = None
    normalized: QType | None = None


class SoftmaxQConfig(QConfig):
    """Of ``FxPSoftmax``."""


class DropoutQConfig(QConfig):
    """Of ``FxPDropout``."""


class LSTMQConfig(LinearQConfig):
    """Of ``FxPLSTM``; ``weight`` and ``bias`` are those of every layer and direction."""

    input_projection: QType | None = None
    hidden_projection: QType | None = None
    gates: QType | None = None
    input_gate: QType | None = None
    forget_gate: QType | None = None
    cell_gate: QType | None = None
    output_gate: QType | None = None
    forget_product: QType | None = None
    input_product: QType | None = None
    cell: QType | None = None
    cell_activation: QType | None = None
    output_product: QType | None = None
    hidden: QType | None = None


class MultiheadAttentionQConfig(LinearQConfig):
    """Of ``FxPMultiheadAttention``; ``weight`` and ``bias`` are those of the input projections."""

    q: QType | None = None
    k: QType | None = None
    v: QType | None = None
    scaled_query: QType | None = None
    scores: QType | None = None
    softmax: QType | None = None
    dropout: QType | None = None
    attended: QType | None = None
    out_proj: LinearQConfig | None = None


class TransformerEncoderLayerQConfig(QConfig):
    """Of ``FxPTransformerEncoderLayer``: its layers, and the points between them."""

    self_attn: MultiheadAttentionQConfig | None = None
    linear1: LinearQConfig | None = None
    linear2: LinearQConfig | None = None
    norm1: LayerNormQConfig | None = None
    norm2: LayerNormQConfig | None = None
    attention_sum: QType | None = None
    ff_activation: QType | None = None
    feed_forward: QType | None = None
    feed_forward_sum: QType | None = None


#: Fields that are called otherwise than the point they are about.
_POINTS = {"ff_activation": "activation"}


@dataclass(frozen=True)
class _Slot:
    """A type of a configuration, and what it is about."""

    module: QuantizedModule
    name: str
    path: str
    q: QType

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters it is about."""
        if self.name not in ("weight", "bias"):
            return []
        return [parameter for parameter in self.module.param_quantizers if self.name in parameter]

    @property
    def tensors(self) -> list[Tensor]:
        """These parameters, those that there are."""
        found = [getattr(self.module, parameter) for parameter in self.parameters]
        return [tensor for tensor in found if tensor is not None]

    def equip(self) -> None:
        """Put a quantizer there, if the type is decided."""
        if self.q.fractional_bits is None:
            return
        quantizer, module = FixedQuantizer(self.q.type), self.module
        if self.name == "input":
            module.input_quantizers[0] = quantizer
        elif self.name == "activation":
            module.output_quantizers[0] = quantizer
        elif self.parameters:
            for parameter in self.parameters:
                module.param_quantizers[parameter] = quantizer
        else:
            module.intermediate_quantizers[_POINTS.get(self.name, self.name)] = quantizer


def _slots(module: Any, config: QConfig | None, path: str = "") -> Iterator[_Slot]:
    """Every type of a configuration, those of layers inside too."""
    for name in type(config).model_fields if config is not None else ():
        field = getattr(config, name)
        if isinstance(field, QType):
            yield _Slot(module, name, f"{path}{name}", field)
        elif isinstance(field, QConfig):
            yield from _slots(getattr(module, name), field, f"{path}{name}.")


class FxPModule(QuantizedModule):
    """What the layers share: quantizers from a configuration, and the choice of fractional bits."""

    config: ClassVar[type[QConfig]] = QConfig

    def __init__(self, *args: Any, q_config: QConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if q_config is not None and not isinstance(q_config, self.config):
            given = type(q_config).__name__
            raise TypeError(f"{type(self).__name__} takes a {self.config.__name__}, not a {given}")
        # Its own, no type of it shared with another layer or another place.
        self.q_config = q_config and type(q_config).model_validate(q_config.model_dump())
        self._configure()

    def forward(
        self,
        *args: Any,
        apply_ste: bool = True,
        logger: ActivationLogger | None = None,
        **kwargs: Any,
    ) -> Any:
        """The layer on its grid.

        With ``apply_ste`` gradients pass the quantizers, straight through; without it none does.
        A ``logger`` is given what every quantizer and layer inside gives, and the output.

        Raises:
            ValueError: while the fractional bits of a type are open.
        """
        self._refuse_open()
        for quantizer in self._own_quantizers():
            quantizer.straight_through = apply_ste
        if logger is None:
            return super().forward(*args, **kwargs)
        with logger.watch(self):  # type: ignore[arg-type]
            result = super().forward(*args, **kwargs)
        logger.log("output", result)
        return result

    def set_no_overflow_quant(self) -> None:
        """As many fractional bits as parameters allow without overflow: one more, and one would."""
        for slot in self._of_parameters():
            slot.q.fractional_bits = slot.q.total_bits - _no_overflow(slot.q, slot.tensors).integer
        self._configure()

    def set_high_precision_quant(self, fractional_bits: int = HIGH_PRECISION) -> None:
        """``fractional_bits``, and as many bits before the point as the parameters need."""
        for slot in self._of_parameters():
            wide = QType(total_bits=40, q_method=slot.q.q_method)
            integer = _no_overflow(wide, slot.tensors).integer
            slot.q.fractional_bits = fractional_bits
            slot.q.total_bits = max(1, integer + fractional_bits)
        self._configure()

    def set_min_mse_quant(self) -> None:
        """The fractional bits with the least mean squared error on the parameters."""
        for slot in self._of_parameters():
            x = torch.cat([p.detach().double().flatten() for p in slot.tensors])
            # Coarser than what fits is never better, and finer than the width not either.
            start = slot.q.total_bits - _no_overflow(slot.q, slot.tensors).integer
            tried = range(start, start + slot.q.total_bits + 1)
            slot.q.fractional_bits = min(tried, key=functools.partial(_error, x, slot.q))
        self._configure()

    def quantize_weights_bias(self) -> None:
        """Put the parameters onto their grids for good; the next forward gives the same."""
        self._refuse_open()
        with torch.no_grad():
            for slot in self._of_parameters():
                for tensor in slot.tensors:
                    tensor.copy_(fake_quantize(tensor.detach(), slot.q.type))

    def _refuse_open(self) -> None:
        for slot in _slots(self, self.q_config):
            if slot.q.fractional_bits is None:
                raise ValueError(
                    f"{name_of(self)}: the fractional bits of {slot.path} are not decided; call "
                    "set_no_overflow_quant(), set_min_mse_quant() or set_high_precision_quant()"
                )

    def _of_parameters(self) -> Iterator[_Slot]:
        return (slot for slot in _slots(self, self.q_config) if slot.tensors)

    def _configure(self) -> None:
        """Quantizers for every type that is decided."""
        for slot in _slots(self, self.q_config):
            slot.equip()

    def _own_quantizers(self) -> Iterator[FixedQuantizer]:
        return (m for m in self.modules() if isinstance(m, FixedQuantizer))  # type: ignore[attr-defined]


def _error(x: Tensor, q: QType, fractional_bits: int) -> float:
    """The mean squared error of ``x`` with so many bits behind the point."""
    t = q.model_copy(update={"fractional_bits": fractional_bits}).type
    return float(torch.mean((quantize(x, t) - x) ** 2))


def _no_overflow(q: QType, parameters: list[Tensor]) -> ApFixed:
    """The type of the width and method that just holds every parameter."""
    found = [ends(p, ()) for p in parameters]
    low, high = min(float(lo) for lo, _ in found), max(float(hi) for _, hi in found)
    rounding, overflow = _MODES[q.q_method]
    return holding(low, high, ApFixed(q.total_bits, 1, True, rounding, overflow))


class FxPLinear(FxPModule, nn.Linear):
    """``Linear``."""

    config = LinearQConfig


class FxPConv2D(FxPModule, nn.Conv2d):
    """``Conv2d``."""

    config = Conv2DQConfig


class FxPLayerNorm(FxPModule, QuantizedLayerNorm):
    """``LayerNorm``, with its mean, variance and normalized values."""

    config = LayerNormQConfig


class FxPSoftmax(FxPModule, nn.Softmax):
    """``Softmax``."""

    config = SoftmaxQConfig


class FxPDropout(FxPModule, nn.Dropout):
    """``Dropout``: quantized before and after."""

    config = DropoutQConfig


class FxPLSTM(FxPModule, QuantizedLSTM):
    """``LSTM``, with its gates and products."""

    config = LSTMQConfig


class FxPMultiheadAttention(FxPModule, QuantizedMultiheadAttention):
    """``MultiheadAttention``, with q, k, v, scores, softmax and what they attend to."""

    config = MultiheadAttentionQConfig


class FxPTransformerEncoderLayer(FxPModule, QuantizedTransformerEncoderLayer):
    """``TransformerEncoderLayer``: attention, linears, norms and residual sums."""

    config = TransformerEncoderLayerQConfig
