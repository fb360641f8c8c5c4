"""Multi-head attention, batch first, from linear layers and points with types of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.interfaces.fxpytorch.base import Pass, WithParts, alike_parameters
from harness.interfaces.fxpytorch.calibration import CalibrationType
from harness.interfaces.fxpytorch.configs import MultiheadAttentionQConfig
from harness.interfaces.fxpytorch.layers import FxPDropout, FxPLinear, FxPSoftmax
from harness.interfaces.fxpytorch.logger import ActivationLoggingScope
from harness.interfaces.fxpytorch.lstm import configured

__all__ = ["FxPMultiheadAttention", "MultiheadAttentionTransparent"]


class FxPMultiheadAttention(WithParts, nn.Module):
    """``MultiheadAttention``, batch first: softmax(q kᵀ / √d) v for each head, then ``out_proj``.

    The state dict has ``qlinear``, ``klinear``, ``vlinear`` and ``out_proj``; that of
    ``torch.nn.MultiheadAttention`` is taken too.

    Args:
        embed_dim: of queries and results.
        num_heads: a divisor of it.
        dropout: of the attention weights.
        bias: whether ``out_proj`` has one.
        add_bias_kv: whether ``klinear`` and ``vlinear`` have one.
        add_bias_q: whether ``qlinear`` has one.
        add_zero_att: always ``False``.
        kdim: of keys; ``embed_dim`` if left out.
        vdim: of values; ``embed_dim`` if left out.
        batch_first: always ``True``.
        dropout_fun: the class of the dropout.
        softmax_fun: the class of the softmax.
        device: of the parameters.
        dtype: of the parameters.
        q_config: a ``MultiheadAttentionQConfig``.
        released_layout: whether what the heads give is laid out as FxPyTorch 0.1.0 has it, where
            the features of a result are those of one head at several places, not of all heads at
            its own place; for weights that were trained so.

    Raises:
        ValueError: for what is not served.
    """

    config = MultiheadAttentionQConfig
    parts = {  # noqa: RUF012 - a ClassVar of the parent
        part: part for part in ("qlinear", "klinear", "vlinear", "softmax", "dropout", "out_proj")
    }
    qlinear: Any
    klinear: Any
    vlinear: Any
    out_proj: Any
    dropout: Any
    softmax: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_bias_q: bool = False,
        add_zero_att: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = True,
        dropout_fun: Any = FxPDropout,
        softmax_fun: Any = FxPSoftmax,
        device: Any = None,
        dtype: Any = None,
        q_config: MultiheadAttentionQConfig | None = None,
        *,
        released_layout: bool = False,
    ) -> None:
        if not batch_first or add_zero_att:
            raise ValueError("FxPMultiheadAttention is batch first, and adds no zeros")
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} is not divisible by num_heads {num_heads}")
        super().__init__(q_config=q_config)
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.head_dim, self.batch_first = embed_dim // num_heads, batch_first
        self.released_layout = released_layout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        for part, size, biased in (
            ("qlinear", embed_dim, add_bias_q),
            ("klinear", self.kdim, add_bias_kv),
            ("vlinear", self.vdim, add_bias_kv),
            ("out_proj", embed_dim, bias),
        ):
            own = getattr(q_config, part, None)
            setattr(self, part, FxPLinear(size, embed_dim, biased, device, dtype, q_config=own))
        self.dropout = dropout_fun(dropout, **configured(q_config, "dropout"))
        self.softmax = softmax_fun(dim=-1, **configured(q_config, "softmax"))
        self.register_load_state_dict_pre_hook(_from_torch)  # type: ignore[no-untyped-call]

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        is_causal: bool = False,
        logger: Any = None,
        apply_ste: bool = True,
        calibrate: bool = False,
        calibration_type: str | CalibrationType = CalibrationType.NO_OVERFLOW,
    ) -> tuple[Tensor, Tensor | None]:
        """``query`` (B, T, embed_dim), ``key`` (B, S, kdim), ``value`` (B, S, vdim) to the result,
        (B, T, embed_dim), and with ``need_weights`` the mean weights of the heads, (B, T, S).

        ``attn_mask``, (T, S) or (B num_heads, T, S), forbids where it is ``True``, or is added to
        the scores.  The rest is as in ``FxPModule.forward``.

        Raises:
            ValueError: for a padding or causal mask, another shape, or while a type is open.
        """
        if key_padding_mask is not None or is_causal:
            raise ValueError("key_padding_mask and is_causal are not served; attn_mask is")
        if query.dim() != 3 or query.shape[-1] != self.embed_dim:
            raise ValueError(f"query has shape (B, T, {self.embed_dim}), not {tuple(query.shape)}")
        how = Pass(self, logger, apply_ste, calibrate, calibration_type)
        with ActivationLoggingScope(logger, self):
            q, k, v = self._projected(how, query, key, value, attn_mask)
            weights = self._weights(how, q, k, attn_mask)
            output = self._attended(how, weights, v)
        return output, self._by_head(weights).mean(1) if need_weights else None

    def _projected(
        self, how: Pass, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Scaled queries, keys and values, each (B num_heads, length, head_dim)."""
        given = {"input_query": query, "input_key": key, "input_value": value}
        quantized = {name: how.activation(name, x) for name, x in given.items()}
        how.log(**given, **{f"{name}_quant": x for name, x in quantized.items()})
        if mask is not None:
            how.log(input_attn_mask=mask)
        layers = (self.qlinear, self.klinear, self.vlinear)
        q, k, v = (
            layer(x, **how.inside) for layer, x in zip(layers, quantized.values(), strict=True)
        )
        scaled = q * float(self.head_dim) ** -0.5
        q = how.activation("q_scaled", scaled)
        how.log(q_scaled=scaled, q_scaled_quant=q)
        return tuple(self._heads(x) for x in (q, k, v))

    def _weights(self, how: Pass, q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
        """The attention weights, (B num_heads, T, S), before dropout."""
        raw = torch.bmm(q, k.transpose(1, 2))
        scores = how.activation("attn_scores_raw", raw)
        by_head = self._by_head
        how.log(attn_scores_raw_BxHxTxS=by_head(raw), attn_scores_raw_quant_BxHxTxS=by_head(scores))
        if mask is not None:
            scores = _masked(scores, mask)
            how.log(**{"attn_scores_quant_masked_B,HxTxS": by_head(scores)})
        weights: Tensor = self.softmax(scores, **how.inside)
        how.log(attn_weights_softmax_quant_BxHxTxS=by_head(weights))
        return weights

    def _attended(self, how: Pass, weights: Tensor, v: Tensor) -> Tensor:
        """The result, (B, T, embed_dim)."""
        weights = self.dropout(weights, **how.inside)
        how.log(attn_weights_dropout_quant_BxHxTxS=self._by_head(weights))
        attended = how.activation("attn_output", torch.bmm(weights, v))
        by_head = self._by_head(attended)
        batch, _, length, _ = by_head.shape
        ordered = by_head if self.released_layout else by_head.transpose(1, 2)
        joined = ordered.reshape(batch, length, self.embed_dim)
        how.log(attn_output_weighted_sum_quant_BxHxTxD=by_head)
        how.log(attn_output_quant_reshaped_BxTxE=joined)
        output: Tensor = self.out_proj(joined, **how.inside)
        how.log(output=output)
        return output

    def _heads(self, x: Tensor) -> Tensor:
        """(B, length, embed_dim) to (B num_heads, length, head_dim)."""
        batch, length, _ = x.shape
        apart = x.view(batch, length, self.num_heads, self.head_dim).transpose(1, 2)
        return apart.reshape(batch * self.num_heads, length, self.head_dim)

    def _by_head(self, x: Tensor) -> Tensor:
        """(B num_heads, ...) to (B, num_heads, ...)."""
        return x.view(-1, self.num_heads, *x.shape[1:])

    def set_high_precision_quant(
        self, same_all: bool = False, same_qkv: bool = False, same_wb: bool = False
    ) -> None:
        """As of each linear layer; one type for all four, or for those of q, k and v, by choice."""
        for layer in self._layers():
            layer.set_high_precision_quant(same_wb)
        self._same(same_all, same_qkv)

    def set_no_overflow_quant(
        self, same_all: bool = False, same_qkv: bool = False, same_wb: bool = False
    ) -> None:
        """As of each linear layer; one type for all four, or for those of q, k and v, by choice."""
        for layer in self._layers():
            layer.set_no_overflow_quant(same_wb)
        self._same(same_all, same_qkv)

    def _same(self, same_all: bool, same_qkv: bool) -> None:
        layers = [self.qlinear, self.klinear, self.vlinear, self.out_proj]
        if same_all or same_qkv:
            alike_parameters(*layers[: 4 if same_all else 3])


class MultiheadAttentionTransparent(FxPMultiheadAttention):
    """``FxPMultiheadAttention`` that is not quantized."""


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores without those that a mask forbids, or with a mask of floats added."""
    if mask.dim() not in (2, 3) or mask.shape[-2:] != scores.shape[-2:]:
        wanted = " or ".join(str(tuple(shape)) for shape in (scores.shape[1:], scores.shape))
        raise ValueError(f"attn_mask has shape {wanted}, not {tuple(mask.shape)}")
    if mask.is_floating_point():
        return scores + mask.to(scores.dtype)
    return scores.masked_fill(mask.bool(), float("-inf"))


def _from_torch(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:  # noqa: ARG001
    """Take what ``torch.nn.MultiheadAttention`` calls its parameters apart."""
    for kind in ("weight", "bias"):
        joined = state.pop(f"{prefix}in_proj_{kind}", None)
        if joined is not None:
            for part, piece in zip("qkv", joined.chunk(3), strict=True):
                state[f"{prefix}{part}linear.{kind}"] = piece
    for part in "qkv":
        name = f"{prefix}{part}_proj_weight"
        if name in state:
            state[f"{prefix}{part}linear.weight"] = state.pop(name)
