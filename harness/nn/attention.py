"""Quantized attention and transformers, the results inside quantized by name.

Without a quantizer inside they are torch's own, with its fast paths.  With one, they run single
operations, and a masked position has probability 0 whatever is quantized.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from harness.nn.base import ExplicitModule, QuantizedModule, quantizers_of
from harness.nn.norm import QuantizedLayerNorm
from harness.nn.registry import QUANTIZED

__all__ = [
    "QuantizedMultiheadAttention",
    "QuantizedTransformer",
    "QuantizedTransformerDecoder",
    "QuantizedTransformerDecoderLayer",
    "QuantizedTransformerEncoder",
    "QuantizedTransformerEncoderLayer",
]


class _OutProjection(QuantizedModule, NonDynamicallyQuantizableLinear):
    """The linear layer that torch has at the end of an attention."""


class _Composed(QuantizedModule):
    """A mixin: a module whose children become quantized modules, and torch's in ``original``."""

    def _quant_init(self) -> None:
        children: dict[str, Any] = self._modules  # type: ignore[attr-defined]
        children.update({name: _quantized(child) for name, child in children.items()})
        super()._quant_init()

    def original(self) -> nn.Module:
        """The torch module without quantizers, its children torch's as well."""
        made = super().original()
        made._modules.update({name: _plain(child) for name, child in made._modules.items()})
        return made


class _ExplicitlyComposed(_Composed, ExplicitModule):
    """... explicit where a parameter, a point, or anything in a child is quantized."""

    def is_explicit(self) -> bool:
        """Whether there is a quantizer below that is none of inputs and outputs."""
        children: dict[str, nn.Module | None] = self._modules  # type: ignore[attr-defined]
        around = ("input_quantizers", "output_quantizers")
        inside = [child for name, child in children.items() if name not in around]
        return any(True for child in inside if child is not None for _ in quantizers_of(child))


def _quantized(child: Any) -> Any:
    """A child as a quantized module, if its class has one; the members of a list as well."""
    if type(child) is nn.ModuleList:
        return nn.ModuleList(_quantized(member) for member in child).train(child.training)
    kind = _KINDS.get(type(child), QUANTIZED.get(type(child)))
    return child if kind is None else kind.from_module(child)


def _plain(child: Any) -> Any:
    if type(child) is nn.ModuleList:
        return nn.ModuleList(_plain(member) for member in child)
    return child.original() if isinstance(child, QuantizedModule) else child


class QuantizedMultiheadAttention(_ExplicitlyComposed, nn.MultiheadAttention):
    """``MultiheadAttention``: P = softmax(Q Kᵀ / √d + mask), A = P V for each head, then a linear.

    The points are Q, K, V; Q / √d; the scores before the mask; P; P after dropout; and A.
    ``out_proj`` is a quantized module itself.
    """

    inputs, outputs = 6, 2
    points = ("q", "k", "v", "scaled_query", "scores", "softmax", "dropout", "attended")

    def explicit(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As the parent's forward; a row that is masked entirely attends to nothing.

        ``is_causal`` is a hint, which changes nothing beside ``attn_mask``.  The parent drops the
        mask for it where no weights are needed, and then masks ``bias_k`` and zeros as well.

        Raises:
            TypeError: for nested tensors, and masks that are neither bool nor float.
            RuntimeError: for masks of other shapes; for ``is_causal`` without ``attn_mask``.
        """
        if is_causal and attn_mask is None:
            raise RuntimeError("is_causal is a hint about attn_mask, and there is none")
        if query.is_nested:
            raise TypeError("quantized attention takes no nested tensors: pad, and give a mask")
        batched = query.dim() == 3
        swapped = batched and self.batch_first
        query, key, value = (
            (x.transpose(0, 1) if swapped else x) if batched else x.unsqueeze(1)
            for x in (query, key, value)
        )
        batch, rows, columns = query.size(1), query.size(0), key.size(0)
        shape = (batch, self.num_heads, rows, columns)
        if key_padding_mask is not None and not batched:
            key_padding_mask = key_padding_mask.unsqueeze(0)
        mask = _merged(attn_mask, key_padding_mask, shape, query.dtype)
        q, k, v = self._projected(query, key, value)
        attended, weights = self._attended(q, k, v, mask)
        result = attended.transpose(0, 1).reshape(rows, batch, self.embed_dim)
        result = self.out_proj(result)
        weights = weights.unflatten(0, (batch, self.num_heads))  # type: ignore[no-untyped-call]
        weights = weights.mean(1) if average_attn_weights else weights
        if not batched:
            result, weights = result.squeeze(1), weights.squeeze(0)
        result = result.transpose(0, 1) if swapped else result
        return result, weights if need_weights else None

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """Q, K and V, of shape (batch · heads, length, width of a head) each."""
        if self.in_proj_weight is None:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        else:
            weights = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        more = (None, self.bias_k, self.bias_v)
        made = []
        for x, weight, bias, row in zip((query, key, value), weights, biases, more, strict=True):
            y = functional.linear(x, weight, bias)
            if row is not None:
                y = torch.cat((y, row.expand(1, y.size(1), -1)))
            heads = y.reshape(len(y), y.size(1) * self.num_heads, self.head_dim)
            made.append(heads.transpose(0, 1))
        return made

    def _attended(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """A, and P after dropout.

        The mask comes after the scores are quantized, and once more after each quantizer behind
        it: in a type without 0 the probability of a masked position would not stay 0.
        """
        q = self.point("scaled_query", self.point("q", q) * math.sqrt(1 / self.head_dim))
        mask = None if mask is None else functional.pad(mask, (0, k.size(1) - mask.size(2)))
        if mask is not None:
            # What no row attends to enters no sum: even 0 times infinity is not 0.
            unseen = (mask == -math.inf).all(1).unsqueeze(-1)
            k, v = k.masked_fill(unseen, 0), v.masked_fill(unseen, 0)
        k, v = self.point("k", k), self.point("v", v)
        if self.add_zero_attn:
            k, v = (functional.pad(x, (0, 0, 0, 1)) for x in (k, v))
            mask = None if mask is None else functional.pad(mask, (0, 1))
        scores = self.point("scores", q @ k.transpose(1, 2))
        blocked = None if mask is None else mask == -math.inf
        if mask is not None and blocked is not None:
            scores = scores + mask.masked_fill(blocked, 0)
            # A row of nothing but -inf would be NaN, and so would its gradient.
            partly = blocked & ~blocked.all(-1, keepdim=True)
            scores = scores.masked_fill(partly, -math.inf)
        weights = _blocked(scores.softmax(-1), blocked)
        weights = _blocked(self.point("softmax", weights), blocked)
        weights = functional.dropout(weights, self.dropout, self.training)
        weights = _blocked(self.point("dropout", weights), blocked)
        return self.point("attended", weights @ v), weights


def _blocked(x: Tensor, blocked: Tensor | None) -> Tensor:
    return x if blocked is None else x.masked_fill(blocked, 0)


def _additive(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """A mask as what is added to scores: -inf where a bool mask is true."""
    if mask is None or mask.is_floating_point():
        return None if mask is None else mask.to(dtype)
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask is bool or float, not {mask.dtype}")
    return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf)


def _merged(
    attention: Tensor | None,
    padding: Tensor | None,
    shape: tuple[int, int, int, int],
    dtype: torch.dtype,
) -> Tensor | None:
    """One mask of both, (batch · heads, rows, columns), to be added; ``None`` if there is none.

    Args:
        attention: (rows, columns) or (batch · heads, rows, columns).
        padding: (batch, columns).
        shape: (batch, heads, rows, columns).
        dtype: of the result.
    """
    batch, heads, rows, columns = shape
    attention, padding = _additive(attention, dtype), _additive(padding, dtype)
    if attention is None and padding is None:
        return None
    merged = torch.zeros((), dtype=dtype)
    if attention is not None:
        if attention.shape not in ((rows, columns), (batch * heads, rows, columns)):
            raise RuntimeError(f"attn_mask has shape {tuple(attention.shape)}, scores have {shape}")
        merged = attention
    if padding is not None:
        if padding.shape != (batch, columns):
            raise RuntimeError(
                f"key_padding_mask has shape {tuple(padding.shape)}, not {(batch, columns)}"
            )
        merged = merged + padding.repeat_interleave(heads, 0).unsqueeze(1)
    return merged.expand(batch * heads, rows, columns)


class _Layer(_ExplicitlyComposed):
    """What the layers of encoder and decoder share: residual sums and the feed-forward block."""

    norm_first: bool

    def _residual(
        self, point: str, norm: nn.Module, x: Tensor, block: Callable[[Tensor], Tensor]
    ) -> Tensor:
        if self.norm_first:
            return self.point(point, x + block(norm(x)))
        result: Tensor = norm(self.point(point, x + block(x)))
        return result

    def _attention(
        self,
        attention: nn.Module,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None,
        padding: Tensor | None,
        is_causal: bool,
    ) -> Any:
        return attention(
            x,
            memory,
            memory,
            attn_mask=_additive(mask, x.dtype),
            key_padding_mask=_additive(padding, x.dtype),
            is_causal=is_causal,
            need_weights=False,
        )[0]

    def _fed_forward(self, x: Tensor) -> Tensor:
        layer: Any = self
        x = self.point("activation", layer.activation(layer.linear1(x)))
        return self.point("feed_forward", layer.linear2(layer.dropout(x)))


class QuantizedTransformerEncoderLayer(_Layer, nn.TransformerEncoderLayer):
    """``TransformerEncoderLayer``, its attention, linears and norms quantized modules.

    The points are the sum of input and attention, the activation, the feed-forward block before
    its dropout, and the sum with that.
    """

    inputs = 3
    points = ("attention_sum", "activation", "feed_forward", "feed_forward_sum")

    def explicit(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """As the parent's forward, through the children."""
        x = self._residual(
            "attention_sum",
            self.norm1,
            src,
            lambda x: self.dropout1(
                self._attention(self.self_attn, x, x, src_mask, src_key_padding_mask, is_causal)
            ),
        )
        return self._residual(
            "feed_forward_sum", self.norm2, x, lambda x: self.dropout2(self._fed_forward(x))
        )


class QuantizedTransformerDecoderLayer(_Layer, nn.TransformerDecoderLayer):
    """``TransformerDecoderLayer``, its attentions, linears and norms quantized modules.

    The points are the sum of input and self-attention, the sum with the attention to the memory,
    the activation, the feed-forward block before its dropout, and the sum with that.
    """

    inputs = 6
    points = ("attention_sum", "memory_sum", "activation", "feed_forward", "feed_forward_sum")

    def explicit(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """As the parent's forward, through the children."""

        def attention(x: Tensor) -> Any:
            masks = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
            return self.dropout1(self._attention(self.self_attn, x, x, *masks))

        def recall(x: Tensor) -> Any:
            masks = (memory_mask, memory_key_padding_mask, memory_is_causal)
            return self.dropout2(self._attention(self.multihead_attn, x, memory, *masks))

        x = self._residual("attention_sum", self.norm1, tgt, attention)
        x = self._residual("memory_sum", self.norm2, x, recall)
        return self._residual(
            "feed_forward_sum", self.norm3, x, lambda x: self.dropout3(self._fed_forward(x))
        )


class QuantizedTransformerEncoder(_ExplicitlyComposed, nn.TransformerEncoder):
    """``TransformerEncoder`` of quantized layers; explicit, it makes no nested tensors."""

    inputs = 3

    def explicit(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """As the parent's forward; padded positions keep what the layers compute for them."""
        mask, padding = (_additive(m, src.dtype) for m in (mask, src_key_padding_mask))
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=padding, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)


class QuantizedTransformerDecoder(_Composed, nn.TransformerDecoder):
    """``TransformerDecoder`` of quantized layers."""

    inputs = 6


class QuantizedTransformer(_Composed, nn.Transformer):
    """``Transformer`` of a quantized encoder and a quantized decoder."""

    inputs = 8


_KINDS: dict[type[nn.Module], type[QuantizedModule]] = {
    NonDynamicallyQuantizableLinear: _OutProjection,
    nn.LayerNorm: QuantizedLayerNorm,
    nn.MultiheadAttention: QuantizedMultiheadAttention,
    nn.TransformerDecoder: QuantizedTransformerDecoder,
    nn.TransformerDecoderLayer: QuantizedTransformerDecoderLayer,
    nn.TransformerEncoder: QuantizedTransformerEncoder,
    nn.TransformerEncoderLayer: QuantizedTransformerEncoderLayer,
}
