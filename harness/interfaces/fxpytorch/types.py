"""The type of a tensor, and tensors brought into it."""

from __future__ import annotations

import enum
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from harness.nn.straight_through import fake_quantize
from harness.types import ApFixed

__all__ = ["QMethod", "QType", "apply_quantize", "quantize"]


class QMethod(enum.Enum):
    """How a tensor is brought onto the grid: rounding, then overflow.

    The first two are released, with their values; a name in any case spells a member.
    """

    TRUNC_SATURATE = 1  # toward zero
    ROUND_SATURATE = 2  # nearest, ties to even
    ROUND_WRAP = 3
    TRUNC_WRAP = 4
    FLOOR_SATURATE = 5  # toward minus infinity, the hardware's default
    FLOOR_WRAP = 6

    @classmethod
    def from_string(cls, name: str) -> QMethod:
        """The member of a name; ``ValueError`` lists them."""
        if not isinstance(name, str) or name.upper() not in cls.__members__:
            raise ValueError(f"QMethod is one of {', '.join(cls.__members__)}, not {name!r}")
        return cls[name.upper()]

    @classmethod
    def _missing_(cls, value: object) -> QMethod | None:
        return cls.__members__.get(value.upper()) if isinstance(value, str) else None

    def __str__(self) -> str:
        return self.name


_ROUNDINGS = {"TRUNC": "TRN_ZERO", "ROUND": "RND_CONV", "FLOOR": "TRN"}
_OVERFLOWS = {"SATURATE": "SAT", "WRAP": "WRAP"}


class QType(BaseModel):
    """The type of one tensor; without arguments a float, which quantizes nothing.

    Attributes:
        total_bits: the width, sign included.
        fractional_bits: bits behind the point.  One alone of the two is an open type, which a
            ``set_..._quant`` or ``calibrate=True`` decides.
        q_method: rounding and overflow.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    total_bits: int | None = Field(None, ge=2, le=53)
    fractional_bits: int | None = None
    q_method: QMethod | None = QMethod.ROUND_SATURATE

    @model_validator(mode="after")
    def _has_a_method(self) -> QType:
        if self.q_method is None:
            raise ValueError("q_method is missing")
        return self

    @property
    def integer_bits(self) -> int | None:
        """Bits before the point, sign included; ``None`` unless both widths are known."""
        if self.total_bits is None or self.fractional_bits is None:
            return None
        return self.total_bits - self.fractional_bits

    def is_float(self) -> bool:
        """Whether it quantizes nothing."""
        return self.total_bits is None and self.fractional_bits is None

    @property
    def type(self) -> ApFixed:
        """The ``ApFixed``; ``ValueError`` for a float, and while a width is open."""
        if self.integer_bits is None or self.total_bits is None or self.q_method is None:
            found = {"total_bits": self.total_bits, "fractional_bits": self.fractional_bits}
            missing = [name for name, bits in found.items() if bits is None]
            raise ValueError(
                f"{' and '.join(missing)} not decided; call set_no_overflow_quant(), "
                "set_min_mse_quant() or set_high_precision_quant(), or pass calibrate=True"
            )
        rounding, overflow = self.q_method.name.split("_")
        modes = _ROUNDINGS[rounding], _OVERFLOWS[overflow]
        return ApFixed(self.total_bits, self.integer_bits, True, *modes)


def quantize(x: Tensor, q_type: QType | None = None) -> Tensor:
    """The values of ``x`` in the type, and a gradient of 0; ``x`` itself if the type is a float.

    Args:
        x: floats of any shape; NaN stays NaN.
        q_type: the type; ``None`` is a float.

    Raises:
        TypeError: for a dtype that is no float.
        ValueError: for an open type, or a value that the dtype of ``x`` does not hold.
    """
    return apply_quantize(x, q_type, apply_ste=False)


def apply_quantize(x: Tensor, q_type: QType | None, apply_ste: bool = True) -> Tensor:
    """:func:`quantize` with a gradient: 1 everywhere with ``apply_ste``, else 0."""
    if q_type is None or q_type.is_float():
        return x
    y: Tensor = _Quantize.apply(x, q_type.type, apply_ste)  # type: ignore[no-untyped-call]
    return y


class _Quantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, t: ApFixed, passes: bool) -> Tensor:
        ctx.passes = passes
        x = x.detach()
        nothing = torch.isnan(x)
        # As floats have it, not as the hardware: a masked row of softmax stays visible.
        return torch.where(nothing, x, fake_quantize(torch.where(nothing, 0, x), t))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return gradient if ctx.passes else torch.zeros_like(gradient), None, None
