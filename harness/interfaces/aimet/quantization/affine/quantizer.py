"""``Quantize`` and ``QuantizeDequantize``: affine quantizers with parameters ``min`` and ``max``.

``scale = (max - min) / (qmax - qmin)``, in float32; ``offset = round(min / scale) - qmin``, and 0
if ``symmetric``.  With these, integers and values are computed exactly.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.interfaces.aimet.quantization.affine.backends import torch_builtins
from harness.interfaces.aimet.quantization.affine.encoding import AffineEncoding
from harness.interfaces.aimet.quantization.affine.grid import Grid, range_of, signed_range
from harness.interfaces.aimet.quantization.base import QuantizerBase
from harness.interfaces.aimet.quantization.encoding_analyzer import (
    MinMaxEncodingAnalyzer,
    StatisticsNotFoundError,
    warn_of_extremes,
)
from harness.interfaces.aimet.quantization.tensor import (
    DequantizedTensor,
    QuantizedTensor,
    as_plain,
)
from harness.interfaces.aimet.utils import patch_attr, ste_round
from harness.nn.quantizers import NotInitializedError

__all__ = [
    "AffineQuantizerBase",
    "MinMaxQuantizer",
    "Quantize",
    "QuantizeDequantize",
]


class AffineQuantizerBase(QuantizerBase, Grid):
    """An affine quantizer.

    Args:
        shape: of scale and offset; a number is a shape of one axis.
        *args: ``bitwidth, symmetric, encoding_analyzer=None, block_size=None``, or ``qmin, qmax,
            symmetric, encoding_analyzer=None, block_size=None``.  A bit width is signed if
            ``symmetric``.
        **kwargs: the same by name.

    Raises:
        TypeError: for arguments of neither spelling.
        ValueError: for ``qmin >= qmax``.
        RuntimeError: for an encoding analyzer whose shape does not expand to ``shape``.
    """

    min: nn.Parameter
    max: nn.Parameter

    def __init__(self, shape: int | Sequence[int], *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        given = _named(type(self).__name__, args, kwargs)
        self._symmetric = bool(given.pop("symmetric"))
        analyzer, self.block_size = given.pop("encoding_analyzer", None), given.get("block_size")
        if "bitwidth" in given:
            given["signed"] = self._symmetric
        self.qmin, self.qmax, _ = range_of(type(self).__name__, (), given)
        blocks = torch_builtins.get_encoding_shape_with_blocks(self.shape, self.block_size)
        self.encoding_analyzer = analyzer or MinMaxEncodingAnalyzer(blocks)
        observed = self.encoding_analyzer.observer.shape
        if self.block_size is None and not torch_builtins._expands(observed, self.shape):
            raise RuntimeError(f"an analyzer of shape {observed} is not for {self.shape}")
        for name, end in (("min", -1.0), ("max", 1.0)):
            self.register_quantization_parameter(name, nn.Parameter(torch.full(self.shape, end)))

    @property
    def symmetric(self) -> bool:
        """Whether the offset is 0."""
        return self._symmetric

    @symmetric.setter
    def symmetric(self, symmetric: bool) -> None:
        self._symmetric = bool(symmetric)

    @property
    def scale(self) -> Tensor | None:
        """:meth:`get_scale`."""
        return self.get_scale()

    @property
    def offset(self) -> Tensor | None:
        """:meth:`get_offset`."""
        return self.get_offset()

    def get_scale(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """The size of a step, in the quantizer's shape; ``None`` while there is no range."""
        if not self.is_initialized():
            return None
        dtype = dtype or torch.float32
        scale: Tensor = (self.max.to(dtype) - self.min.to(dtype)) / self.num_steps
        return scale

    def get_offset(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """What is added to an integer before it is scaled; it is an integer, and 0 if symmetric."""
        scale = self.get_scale(dtype)
        if scale is None:
            return None
        if self.symmetric:
            return torch.zeros_like(scale, requires_grad=False)
        return ste_round(self.min.to(scale.dtype) / scale) - self.qmin

    def get_min(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """The lowest value, a step; the parameter ``min`` may lie beside it."""
        return self._value_of(self.qmin, dtype)

    def get_max(self, dtype: torch.dtype | None = None) -> Tensor | None:
        """The highest value."""
        return self._value_of(self.qmax, dtype)

    def _value_of(self, q: int, dtype: torch.dtype | None) -> Tensor | None:
        scale, offset = self.get_scale(dtype), self.get_offset(dtype)
        return None if scale is None or offset is None else scale * (offset + q)

    def set_range(self, min: Any, max: Any) -> None:
        """The parameters ``min`` and ``max``; numbers, or tensors that expand to the shape."""
        with torch.no_grad():
            for parameter, end in ((self.min, min), (self.max, max)):
                parameter.copy_(torch.as_tensor(end))
        self.is_initialized()  # which remembers it

    def get_encoding(self) -> AffineEncoding | None:
        """Scale and offset, in float32; ``None`` while there is no range."""
        scale, offset = self.get_scale(torch.float32), self.get_offset(torch.float32)
        if scale is None or offset is None:
            return None
        return AffineEncoding(scale, offset, self.qmin, self.qmax, self.symmetric, self.block_size)

    def set_encodings(self, encodings: AffineEncoding) -> None:
        """Take over the integers, the symmetry and the scale of an encoding of the same shape.

        Raises:
            ValueError: for another shape.
        """
        if tuple(encodings.scale.shape) != self.shape:
            raise ValueError(f"scales of {tuple(encodings.scale.shape)} are not for {self.shape}")
        self.qmin, self.qmax = encodings.qmin, encodings.qmax
        self.symmetric = encodings.symmetry
        self.set_range(encodings.min.detach(), encodings.max.detach())
        self._match(encodings.scale.detach())

    @classmethod
    def from_encodings(cls, encodings: AffineEncoding) -> Any:
        """The quantizer that quantizes with an encoding."""
        ends, symmetric = (encodings.qmin, encodings.qmax), encodings.symmetry
        made = cls(encodings.scale.shape, *ends, symmetric, block_size=encodings.block_size)
        made.set_encodings(encodings)
        return made

    @torch.no_grad()
    def get_legacy_encodings(self) -> list[dict[str, Any]] | None:
        """The entries of files of version 0.6."""
        encoding = self.get_encoding()
        return None if encoding is None else encoding._to_legacy_format()

    def set_legacy_encodings(self, encodings: list[dict[str, Any]]) -> None:
        """Take over such entries: bit width, symmetry and range.

        Where an entry's scale is the range's up to roundings, the range is moved by a few of its
        last places so that :meth:`get_scale` is that scale, if float32 has such a range.

        Raises:
            ValueError: for entries of another dtype, or another number of them.
        """
        first = encodings[0]
        symmetric = {"true": True, "false": False}.get(str(first["is_symmetric"]).lower())
        if symmetric is None or first.get("dtype", "int") != "int":
            raise ValueError(f"{first} is no affine encoding: is_symmetric is True or False")
        ends = [torch.tensor([entry[end] for entry in encodings]) for end in ("min", "max")]
        if len(encodings) not in (1, ends[0].new_empty(self.shape).numel()):
            raise ValueError(f"{len(encodings)} encodings are not for shape {self.shape}")
        self.qmin, self.qmax = signed_range(int(first["bitwidth"]), symmetric)
        self.symmetric = symmetric
        self.set_range(*(end.reshape(self.shape if len(encodings) > 1 else ()) for end in ends))
        if all("scale" in entry for entry in encodings):
            scale = torch.tensor([entry["scale"] for entry in encodings], dtype=torch.float32)
            self._match(scale.reshape(self.shape if len(encodings) > 1 else ()))

    @torch.no_grad()
    def _match(self, scale: Tensor) -> None:
        """Move the range by last places until its scale is this, and its offset what it was."""
        low, high, n = self.min.detach().clone(), self.max.detach().clone(), self.num_steps
        scale = scale.to(low).expand_as(low)
        near = ((high - low) / n - scale).abs() <= 2.0**-20 * scale
        start = torch.round(low / scale)
        missing = near & ((high - low) / n != scale)
        found_low, found_high = low.clone(), high.clone()
        for below, above in itertools.product(_nudged(low), _nudged(high)):
            fits = missing & ((above - below) / n == scale)
            fits &= torch.round(below / scale) == start
            found_low, found_high = (
                torch.where(fits, end, kept)
                for end, kept in ((below, found_low), (above, found_high))
            )
            missing &= ~fits
        self.set_range(found_low, found_high)

    @contextlib.contextmanager
    def compute_encodings(self) -> Iterator[None]:
        """Observe what passes, and take the range of it on exit; answer by each one's own range.

        Nothing is observed or set while overwriting is not allowed.
        """
        if not self._allow_overwrite:
            yield
            return
        with self._gathering():
            yield
        try:
            ends = self.encoding_analyzer.compute_encodings(self.num_steps, self.symmetric)
        except StatisticsNotFoundError:
            return
        warn_of_extremes(*ends)
        self.set_range(*(self._shaped(end) for end in ends))

    def _shaped(self, end: Tensor) -> Tensor:
        """What an analyzer found, in the shape of the parameters."""
        end = end if self.block_size is None else end.reshape(self.shape)
        return end.to(self.min).expand_as(self.min)

    def forward(self, input: Any) -> Any:
        """``input`` quantized; what is no float tensor passes.

        Raises:
            NotInitializedError: a ``RuntimeError``, while there is no range.
        """
        if not isinstance(input, Tensor) or not input.is_floating_point():
            return input
        x = as_plain(input)
        if self._observing and not self._frozen:
            return self._observed(x)
        if not self.is_initialized():
            raise NotInitializedError(
                f"{self.name} has no encodings; run data through it inside compute_encodings()"
            )
        return self.quantize(x)

    def _observed(self, x: Tensor) -> Any:
        blocks = torch_builtins.reshape_tensor_for_blocks(x, self.shape, self.block_size)
        found = self.encoding_analyzer.update_stats(blocks)
        if self._passes:
            return x
        analyzer = self.encoding_analyzer
        ends = analyzer.compute_encodings_from_stats(found, self.num_steps, self.symmetric)
        low, high = (self._shaped(end) for end in ends)
        with patch_attr(self, "min", low), patch_attr(self, "max", high):
            return self.quantize(x)

    def facts(self) -> dict[str, Any]:
        """The range of integers, symmetry, and which parameters were set."""
        own = {"qmin": self.qmin, "qmax": self.qmax, "symmetric": self.symmetric}
        return {**super().facts(), **own}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        super().restore(facts)
        self.qmin, self.qmax = facts["qmin"], facts["qmax"]
        self.symmetric = facts["symmetric"]

    def extra_repr(self) -> str:
        """Shape, integers, symmetry."""
        ends = f"qmin={self.qmin}, qmax={self.qmax}"
        return f"shape={self.shape}, {ends}, symmetric={self.symmetric}"


#: Its name in earlier versions, which had it between the two.
MinMaxQuantizer = AffineQuantizerBase


class Quantize(AffineQuantizerBase):
    """To integers, as a ``QuantizedTensor`` in the input's dtype."""

    def quantize(self, x: Tensor) -> Any:
        """The integers; ``RuntimeError`` if the dtype does not hold them."""
        encoding = self.get_encoding()
        assert encoding is not None
        return _known(encoding.quantize(x), QuantizedTensor, encoding)


class QuantizeDequantize(AffineQuantizerBase):
    """To the values of the integers, as a ``DequantizedTensor``."""

    def quantize(self, x: Tensor) -> Any:
        """The values."""
        encoding = self.get_encoding()
        assert encoding is not None
        facts = encoding.scale, encoding.offset, self.qmin, self.qmax, self.block_size
        y = torch_builtins.quantize_dequantize(x, *facts)
        return _known(y, DequantizedTensor, encoding)


def _nudged(end: Tensor) -> list[Tensor]:
    """A tensor, and its neighbours up to four numbers of its dtype away, nearest first."""
    found = [end]
    up = down = end
    for _ in range(4):
        up = torch.nextafter(up, torch.full_like(up, math.inf))
        down = torch.nextafter(down, torch.full_like(down, -math.inf))
        found += [up, down]
    return found


def _known(plain: Tensor, kind: type[Any], encoding: AffineEncoding) -> Any:
    """A tensor with its encoding; without one in graphs of torch.compile and torch.export."""
    if torch.compiler.is_compiling():
        return plain
    made: Any = plain.as_subclass(kind)
    made.encoding = encoding
    return made


def _named(what: str, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name, those that are ``None`` left out."""
    pairs = "qmin" in kwargs or "qmax" in kwargs
    second = args[1] if len(args) > 1 else None
    pairs = pairs or (second is not None and not isinstance(second, bool))
    rest = ("symmetric", "encoding_analyzer", "block_size")
    names = ("qmin", "qmax", *rest) if pairs else ("bitwidth", *rest)
    by_place = dict(zip(names, args, strict=False))
    if len(args) > len(names) or set(by_place) & set(kwargs) or set(kwargs) - set(names):
        raise TypeError(f"{what} takes shape, {', '.join(names)}, once each")
    given = {k: v for k, v in {**by_place, **kwargs}.items() if v is not None}
    if missing := [name for name in names[:-2] if name not in given]:
        raise TypeError(f"{what} lacks {missing[0]}; it takes shape, {', '.join(names)}")
    return given
