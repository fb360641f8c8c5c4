"""Float quantizers: to so many bits of exponent and mantissa, each value rounded once, exactly.

``maxval`` is the largest value; the exponents that a value may have follow from it::

    maxval = (2 - 2**-mantissa) * 2**(2**exponent - bias - 2)
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.aimet.quantization.base import EncodingBase, QuantizerBase
from harness.interfaces.aimet.quantization.encoding_analyzer import (
    EncodingAnalyzer,
    StatisticsNotFoundError,
    warn_of_extremes,
)
from harness.interfaces.aimet.quantization.tensor import as_plain
from harness.interfaces.aimet.utils import patch_attr
from harness.nn.steps import narrowed
from harness.nn.straight_through import fake_quantize
from harness.types import FORMATS

__all__ = [
    "FloatEncoding",
    "FloatQuantizeDequantize",
    "QuantizeDequantize",
    "fake_cast_to_ieee_float",
]

_DTYPES = {torch.float16: (5, 10), torch.bfloat16: (8, 7)}


def _largest(exponent_bits: int, mantissa_bits: int) -> float:
    """The largest finite value of an IEEE float of so many bits."""
    top = 2**exponent_bits - 2 - (2**exponent_bits - 1) // 2
    return math.ldexp(2 - math.ldexp(1, -mantissa_bits), top)


#: AIMET's name of it.
_ieee_float_max_representable_value = _largest


def fake_cast_to_ieee_float(
    x_float: Tensor, maxval: Tensor | float, exponent_bits: int, mantissa_bits: int
) -> Tensor:
    """The nearest value of the float whose largest is ``maxval``, ties to even; saturates.

    There are ``2**exponent_bits - 1`` binades, the uppermost of steps ``maxval / (2**(mantissa_bits
    + 1) - 1)``, each below of half, and below the lowest the steps go on to 0: for IEEE's own
    ``maxval`` that is one binade more than IEEE has.  Computed exactly, and rounded once.

    Args:
        x_float: of float16, bfloat16 or float32.
        maxval: positive, a number or of a shape that broadcasts against ``x_float``.
        exponent_bits: 1 to 8.
        mantissa_bits: 0 to 23.

    Raises:
        TypeError: for a tensor of another dtype.
        ValueError: for other bits.
    """
    if x_float.dtype not in (torch.float16, torch.bfloat16, torch.float32):
        raise TypeError(f"float16, bfloat16 and float32 are cast exactly, {x_float.dtype} is not")
    if not (1 <= exponent_bits <= 8 and 0 <= mantissa_bits <= 23):
        raise ValueError(
            f"a float has 1 to 8 bits of exponent and 0 to 23 of mantissa, "
            f"not {exponent_bits} and {mantissa_bits}"
        )
    largest = torch.as_tensor(maxval, dtype=torch.float32, device=x_float.device)
    made: Tensor = _Cast.apply(x_float, largest, exponent_bits, mantissa_bits)  # type: ignore[no-untyped-call]
    return made


class _Cast(torch.autograd.Function):
    """The cast; a gradient passes what does not saturate."""

    @staticmethod
    def forward(x: Tensor, maxval: Tensor, exponent: int, mantissa: int) -> Tensor:
        # Products of 24 bits each and quotients by 24 bits: float64 is wide enough that none of
        # its roundings reaches a tie, or a power of two.
        whole, largest = 2 ** (mantissa + 1) - 1, maxval.double()
        near = torch.minimum(torch.maximum(x.double(), -largest), largest)
        scaled = near * whole / largest  # in steps of the uppermost binade
        lowest = 2 - 2**exponent
        binade = (torch.frexp(scaled).exponent - 1 - mantissa).clamp(lowest, 0).double()
        steps = torch.round(torch.ldexp(scaled, -binade))
        return narrowed(torch.ldexp(steps * largest, binade) / whole, x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        (gradient,), (x, maxval) = gradients, ctx.saved_tensors
        return torch.where(x.abs() <= maxval, gradient, 0), None, None, None


class FloatEncoding(EncodingBase):
    """What a float quantizer quantizes with.

    Args:
        mantissa_bits: without the hidden one.
        exponent_bits: of the exponent.
        maxval: the largest value, or ``None`` for that of the IEEE float.
    """

    mapping = "float"
    _tensors = ("maxval",)

    def __init__(self, mantissa_bits: int, exponent_bits: int, maxval: Tensor | None) -> None:
        self.mantissa_bits, self.exponent_bits = mantissa_bits, exponent_bits
        self._maxval = maxval

    @property
    def maxval(self) -> Any:
        """The largest value."""
        return self._maxval

    @property
    def bitwidth(self) -> int:
        """Sign, exponent and mantissa."""
        return self.mantissa_bits + self.exponent_bits + 1

    @property
    def granularity(self) -> str:
        """``pertensor``, ``perchannel`` or ``unknown``."""
        return "pertensor" if self.maxval is None else super().granularity

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The encoding on another device or in another float dtype."""
        return self if self.maxval is None else super().to(*args, **kwargs)

    def quantize(self, input: Tensor) -> Tensor:
        """Refused: floats have no integers."""
        raise NotImplementedError(f"{type(self).__name__} has no integers of {input.dtype}")

    def dequantize(self, input: Tensor) -> Tensor:
        """Refused: floats have no integers."""
        raise NotImplementedError(f"{type(self).__name__} has no integers of {input.dtype}")

    def to_qnn_encoding_dict(self, encoding_version: str = "0.6.1") -> Any:
        """The entry of a file, which knows float16 and bfloat16 alone.

        Raises:
            ValueError: for another float, or another version.
        """
        if (self.exponent_bits, self.mantissa_bits) not in _DTYPES.values() or (
            self.maxval is not None
        ):
            raise ValueError(
                f"files have float16 and bfloat16, not {self.bitwidth} bits at a scale"
            )
        if encoding_version.startswith("0.6"):
            return [{"bitwidth": self.bitwidth, "dtype": "float"}]
        if encoding_version == "1.0.0":
            return {"dtype": "FLOAT", "bw": self.bitwidth, "enc_type": "PER_TENSOR"}
        if encoding_version == "2.0.0":
            return {}  # ONNX's dtypes are no quantization
        raise ValueError(f"encodings have versions 0.6.1, 1.0.0 and 2.0.0, not {encoding_version}")


class FloatQuantizeDequantize(QuantizerBase):
    """To the nearest value of a float.

    Args:
        exponent_bits: with ``mantissa_bits``, ...
        mantissa_bits: ... the format.
        dtype: ``torch.float16`` or ``torch.bfloat16``, in their place.
        encoding_analyzer: what finds the largest value; without one it is the format's own.

    Raises:
        ValueError: for both or neither of the bits and ``dtype``, or another dtype.
    """

    maxval: Tensor | None

    def __init__(
        self,
        exponent_bits: int | None = None,
        mantissa_bits: int | None = None,
        dtype: torch.dtype | None = None,
        encoding_analyzer: EncodingAnalyzer | None = None,
    ) -> None:
        super().__init__()
        if dtype is not None:
            if exponent_bits is not None or mantissa_bits is not None or dtype not in _DTYPES:
                raise ValueError(f"dtype is float16 or bfloat16, without bits, not {dtype}")
            exponent_bits, mantissa_bits = _DTYPES[dtype]
        if exponent_bits is None or mantissa_bits is None:
            raise ValueError("a float quantizer takes exponent_bits and mantissa_bits, or dtype")
        self.exponent_bits, self.mantissa_bits = exponent_bits, mantissa_bits
        self.encoding_analyzer = encoding_analyzer
        start = None
        if encoding_analyzer is not None:
            largest = _largest(exponent_bits, mantissa_bits)
            start = torch.full(encoding_analyzer.observer.shape, largest)
        self.register_buffer("maxval", start)

    @property
    def bitwidth(self) -> int:
        """Sign, exponent and mantissa."""
        return self.exponent_bits + self.mantissa_bits + 1

    def is_float16(self) -> bool:
        """Whether the bits are those of float16."""
        return (self.exponent_bits, self.mantissa_bits) == _DTYPES[torch.float16]

    def is_bfloat16(self) -> bool:
        """Whether the bits are those of bfloat16."""
        return (self.exponent_bits, self.mantissa_bits) == _DTYPES[torch.bfloat16]

    def get_encoding(self) -> FloatEncoding:
        """The format and its largest value."""
        return FloatEncoding(self.mantissa_bits, self.exponent_bits, self.maxval)

    def get_legacy_encodings(self) -> list[dict[str, Any]]:
        """The entry of files of version 0.6."""
        return [{"bitwidth": self.bitwidth, "dtype": "float"}]

    def set_legacy_encodings(self, encodings: list[dict[str, Any]]) -> None:
        """Take over such an entry; ``RuntimeError`` unless it has 16 bits, which are float16."""
        if encodings[0]["bitwidth"] != 16:
            raise RuntimeError(f"files have floats of 16 bits, not {encodings[0]['bitwidth']}")
        self.exponent_bits, self.mantissa_bits = _DTYPES[torch.float16]

    @contextlib.contextmanager
    def compute_encodings(self) -> Iterator[None]:
        """Observe what passes, and take its largest magnitude on exit, if there is an analyzer."""
        if self.encoding_analyzer is None or self._frozen:
            yield
            return
        with self._gathering():
            yield
        try:
            low, high = self.encoding_analyzer.compute_encodings(2**self.bitwidth - 1, False)
        except StatisticsNotFoundError:
            return
        warn_of_extremes(low, high)
        self.maxval = self._shaped(low, high)

    def _shaped(self, low: Tensor, high: Tensor) -> Tensor:
        assert self.maxval is not None
        return torch.maximum(low.abs(), high.abs()).to(self.maxval).expand_as(self.maxval).clone()

    def forward(self, input: Any) -> Any:
        """``input`` quantized; what is no float tensor passes."""
        if not isinstance(input, Tensor) or not input.is_floating_point():
            return input
        x = as_plain(input)
        if not self._observing or self._frozen or self.encoding_analyzer is None:
            return self.quantize(x)
        found = self.encoding_analyzer.update_stats(x)
        if self._passes:
            return x
        ends = self.encoding_analyzer.compute_encodings_from_stats(
            found, 2**self.bitwidth - 1, False
        )
        with patch_attr(self, "maxval", self._shaped(*ends)):
            return self.quantize(x)

    def quantize(self, x: Tensor) -> Tensor:
        """The values; of float16 and bfloat16 without analyzer those of torch's cast."""
        if self.maxval is None and (self.is_float16() or self.is_bfloat16()):
            return fake_quantize(x, FORMATS["float16" if self.is_float16() else "bfloat16"])
        largest = self.maxval
        bits = self.exponent_bits, self.mantissa_bits
        return fake_cast_to_ieee_float(x, _largest(*bits) if largest is None else largest, *bits)

    def get_extra_state(self) -> dict[str, Tensor]:
        """The format's bits."""
        bits = {"exponent_bits": self.exponent_bits, "mantissa_bits": self.mantissa_bits}
        return {name: torch.tensor(value) for name, value in bits.items()}

    def set_extra_state(self, state: Any) -> None:
        """Take them over; a state that has none changes nothing."""
        self.exponent_bits = int(state.get("exponent_bits", self.exponent_bits))
        self.mantissa_bits = int(state.get("mantissa_bits", self.mantissa_bits))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # Whether there is a largest value is part of what is loaded.
        if any(key.startswith(prefix) for key in state_dict):
            self.maxval = state_dict.get(f"{prefix}maxval")
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def facts(self) -> dict[str, Any]:
        """The format's bits."""
        return {"exponent_bits": self.exponent_bits, "mantissa_bits": self.mantissa_bits}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        self.set_extra_state(facts)

    def extra_repr(self) -> str:
        """The format's bits."""
        return f"exponent_bits={self.exponent_bits}, mantissa_bits={self.mantissa_bits}"


class QuantizeDequantize(FloatQuantizeDequantize):
    """Another name of ``FloatQuantizeDequantize``."""
