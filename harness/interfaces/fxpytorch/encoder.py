"""A layer of a transformer's encoder, batch first, from layers with types of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from harness.interfaces.fxpytorch.attention import FxPMultiheadAttention
from harness.interfaces.fxpytorch.base import Pass, WithParts, alike_parameters
from harness.interfaces.fxpytorch.calibration import CalibrationType
from harness.interfaces.fxpytorch.configs import TransformerEncoderLayerQConfig
from harness.interfaces.fxpytorch.layers import FxPDropout, FxPLayerNorm, FxPLinear, FxPSoftmax
from harness.interfaces.fxpytorch.logger import ActivationLoggingScope
from harness.interfaces.fxpytorch.lstm import configured

__all__ = ["FxPTransformerEncoderLayer", "TransformerEncoderLayerTransparent"]

_ACTIVATIONS: dict[str, Any] = {"relu": nn.functional.relu, "gelu": nn.functional.gelu}


class FxPTransformerEncoderLayer(WithParts, nn.Module):
    """``TransformerEncoderLayer``, batch first: attention and a feed-forward block, each added.

    Args:
        d_model: of inputs and results.
        nhead: a divisor of it.
        dim_feedforward: between the two linear layers.
        dropout: after attention, and twice in the feed-forward block.
        att_dropout: of the attention weights.
        activation: ``"relu"``, ``"gelu"``, or a function.
        layer_norm_eps: of both norms.
        batch_first: must be given as ``True``.
        norm_first: whether each norm comes before its block, not after the sum.
        bias: whether norms, linear layers and ``out_proj`` have one.
        add_bias_kv: whether keys and values have one.
        add_bias_q: whether queries have one.
        dropout_fun: the class of the dropouts.
        softmax_fun: the class of the softmax.
        layernorm_fun: the class of the norms.
        device: of the parameters.
        dtype: of the parameters.
        q_config: a ``TransformerEncoderLayerQConfig``.
        released_layout: of the attention.

    Raises:
        ValueError: for what is not served.
    """

    config = TransformerEncoderLayerQConfig
    parts = {  # noqa: RUF012 - a ClassVar of the parent
        "norm1": "norm1",
        "self_attn": "self_attn",
        "self_attn_dropout": "dropout",
        "norm2": "norm2",
        "linear1": "linear1",
        "dropout1": "dropout1",
        "linear2": "linear2",
        "dropout2": "dropout2",
    }
    linear1: Any
    linear2: Any
    norm1: Any
    norm2: Any
    dropout: Any
    dropout1: Any
    dropout2: Any

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        att_dropout: float = 0.0,
        activation: str | Callable[[Tensor], Tensor] = nn.functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_bias_q: bool = False,
        dropout_fun: Any = FxPDropout,
        softmax_fun: Any = FxPSoftmax,
        layernorm_fun: Any = FxPLayerNorm,
        device: Any = None,
        dtype: Any = None,
        q_config: TransformerEncoderLayerQConfig | None = None,
        *,
        released_layout: bool = False,
    ) -> None:
        if not batch_first:
            raise ValueError("FxPTransformerEncoderLayer is batch first: pass batch_first=True")
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            names = ", ".join(_ACTIVATIONS)
            raise ValueError(f"activation is one of {names}, or a function, not {activation!r}")
        super().__init__(q_config=q_config)
        place = {"device": device, "dtype": dtype}
        self.self_attn = FxPMultiheadAttention(
            d_model,
            nhead,
            att_dropout,
            bias,
            add_bias_kv,
            add_bias_q,
            dropout_fun=dropout_fun,
            softmax_fun=softmax_fun,
            released_layout=released_layout,
            **place,
            **configured(q_config, "self_attn"),
        )
        for part, sizes in (
            ("linear1", (d_model, dim_feedforward)),
            ("linear2", (dim_feedforward, d_model)),
        ):
            own = configured(q_config, part)
            setattr(self, part, FxPLinear(*sizes, bias=bias, **place, **own))
        for part in ("norm1", "norm2"):
            own = configured(q_config, part)
            norm = layernorm_fun(d_model, eps=layer_norm_eps, bias=bias, **place, **own)
            setattr(self, part, norm)
        for field in ("self_attn_dropout", "dropout1", "dropout2"):
            made = dropout_fun(dropout, **configured(q_config, field))
            setattr(self, self.parts[field], made)
        self.norm_first = norm_first
        self.activation: Any = (
            _ACTIVATIONS[activation] if isinstance(activation, str) else activation
        )

    def forward(  # type: ignore[override]
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
        logger: Any = None,
        apply_ste: bool = True,
        calibrate: bool = False,
        calibration_type: str | CalibrationType = CalibrationType.NO_OVERFLOW,
    ) -> Tensor:
        """``src`` of shape (B, T, d_model) to the like.

        ``src_mask`` is an ``attn_mask`` of ``FxPMultiheadAttention``.  The rest is as in
        ``FxPModule.forward``.

        Raises:
            ValueError: for a padding or causal mask, or while a type is open.
        """
        if src_key_padding_mask is not None or is_causal:
            raise ValueError("src_key_padding_mask and is_causal are not served; src_mask is")
        how = Pass(self, logger, apply_ste, calibrate, calibration_type)
        with ActivationLoggingScope(logger, self):
            x = how.activation("input", src)
            how.log(input=src, input_quant=x)
            if src_mask is not None:
                how.log(input_src_mask=src_mask)
            attended = self.norm1(x, **how.inside) if self.norm_first else x
            total = x + self._attention(how, attended, src_mask)
            x = how.activation("residual_1", total)
            how.log(residual1_after_attn=total, residual1_after_attn_quant=x)
            if self.norm_first:
                total = x + self._feed_forward(how, self.norm2(x, **how.inside))
                output = how.activation("residual_2", total)
                how.log(residual_2_pre_quant=total)
            else:
                x = self.norm1(x, **how.inside)
                total = x + self._feed_forward(how, x)
                x = how.activation("residual_2", total)
                how.log(residual2_after_ffn_output=total, residual2_after_ffn_output_quant=x)
                output = self.norm2(x, **how.inside)
            how.log(output=output)
        return output

    def _attention(self, how: Pass, x: Tensor, mask: Tensor | None) -> Tensor:
        found, _ = self.self_attn(x, x, x, need_weights=False, attn_mask=mask, **how.inside)
        dropped: Tensor = self.dropout(found, **how.inside)
        return dropped

    def _feed_forward(self, how: Pass, x: Tensor) -> Tensor:
        with ActivationLoggingScope(how.logger, "ffn"):
            active = self.activation(self.linear1(x, **how.inside))
            quantized = how.activation("ff_activation", active)
            how.log(ff_activation=active, ff_activation_quant=quantized)
            x = self.linear2(self.dropout1(quantized, **how.inside), **how.inside)
            output: Tensor = self.dropout2(x, **how.inside)
            how.log(output=output)
        return output

    def set_high_precision_quant(
        self,
        same_ff: bool = False,
        same_all_attn: bool = False,
        same_qkv: bool = False,
        same_wb: bool = False,
    ) -> None:
        """As of each layer; with ``same_ff`` both linear layers have one type."""
        self.self_attn.set_high_precision_quant(same_all_attn, same_qkv, same_wb)
        for layer in (self.norm1, self.norm2, self.linear1, self.linear2):
            layer.set_high_precision_quant(same_wb)
        self._same(same_ff)

    def set_no_overflow_quant(
        self,
        same_ff: bool = False,
        same_all_attn: bool = False,
        same_qkv: bool = False,
        same_wb: bool = False,
    ) -> None:
        """As of each layer; with ``same_ff`` both linear layers have one type."""
        self.self_attn.set_no_overflow_quant(same_all_attn, same_qkv, same_wb)
        for layer in (self.norm1, self.norm2, self.linear1, self.linear2):
            layer.set_no_overflow_quant(same_wb)
        self._same(same_ff)

    def _same(self, same_ff: bool) -> None:
        if same_ff:
            alike_parameters(self.linear1, self.linear2)


class TransformerEncoderLayerTransparent(FxPTransformerEncoderLayer):
    """``FxPTransformerEncoderLayer`` that is not quantized."""
