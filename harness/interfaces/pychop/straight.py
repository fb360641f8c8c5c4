"""The simulators as quantizers, which gradients pass: ``ChopSTE``, ``ChopfSTE``, ``ChopiSTE``, ...

They stand wherever a quantizer of ``harness.nn`` does, and layers take them by ``chop=``.  Backward
is the identity, also for what saturates.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.pychop.blocks import bfp_quantize, mx_quantize
from harness.interfaces.pychop.draws import Draws
from harness.interfaces.pychop.fixed import Chopf
from harness.interfaces.pychop.integer import Chopi
from harness.interfaces.pychop.precisions import float_type
from harness.nn.quantizers import FloatQuantizer, Quantizer
from harness.nn.straight_through import fake_quantize
from harness.types import IeeeFloat

__all__ = [
    "BFPQuantizerSTE",
    "Called",
    "ChopSTE",
    "ChopfSTE",
    "ChopiSTE",
    "FloatPrecisionSimulator",
    "LightChopSTE",
    "MXQuantizerSTE",
    "as_quantizer",
]


class _Identity(torch.autograd.Function):
    """The second argument, with the gradient of the first."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, values: Tensor) -> Tensor:  # noqa: ARG004
        return values.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradients[0], None


def _float_tensor(x: Any, name: str) -> Tensor:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        given = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"{name} takes tensors of floats, not {given}")
    return x


class ChopSTE(FloatQuantizer):
    """``Chop`` of tensors, straight through.

    Args:
        exp_bits: exponent bits.
        sig_bits: bits of significand without the hidden one.
        rmode: the rounding, 1 to 10 or a name.
        subnormal: whether there are any.
        chunk_size: has no effect.
        random_state: the seed of roundings by chance.
        verbose: has no effect.

    Raises:
        ValueError: for sizes or roundings that do not exist.
    """

    def __init__(
        self,
        exp_bits: int,
        sig_bits: int,
        rmode: int | str = 1,
        subnormal: bool = True,
        chunk_size: int = 800,
        random_state: int = 42,
        verbose: int = 0,
    ) -> None:
        super().__init__(float_type(exp_bits, sig_bits, rmode, subnormal))
        self.rmode, self.chunk_size, self.verbose = rmode, chunk_size, verbose
        self.random_state = random_state
        self._draws = Draws(random_state)

    def forward(self, x: Any) -> Any:
        """The values of ``x`` in the type; ``TypeError`` for what is no tensor of floats."""
        return super().forward(_float_tensor(x, type(self).__name__))

    def quantize(self, x: Tensor) -> Tensor:
        """The values of ``x`` in the type."""
        by_chance = isinstance(self.format, IeeeFloat) and self.format.rounding.stochastic
        kept = x if self.straight_through else x.detach()
        return fake_quantize(kept, self.format, self._draws.of(x) if by_chance else None)

    @property
    def exp_bits(self) -> int:
        """Exponent bits."""
        return self.format.exp_bits  # type: ignore[union-attr]

    @property
    def sig_bits(self) -> int:
        """Bits of significand without the hidden one."""
        return self.format.frac_bits  # type: ignore[union-attr]

    @property
    def subnormal(self) -> bool:
        """Whether there are subnormals."""
        return self.format.subnormals  # type: ignore[union-attr]

    @property
    def u(self) -> float:
        """The unit roundoff."""
        return 2.0 ** -(self.sig_bits + 1)


class LightChopSTE(ChopSTE):
    """``ChopSTE`` by the name and with the arguments of ``pychop.tch.lightchop``."""

    def __init__(
        self,
        exp_bits: int,
        sig_bits: int,
        rmode: int | str = 1,
        subnormal: bool = True,
        random_state: int = 42,
    ) -> None:
        super().__init__(exp_bits, sig_bits, rmode, subnormal, random_state=random_state)


class FloatPrecisionSimulator(ChopSTE):
    """``ChopSTE`` of the older document; what it draws comes from torch's seed."""

    def __init__(self, exp_bits: int, sig_bits: int, rmode: int | str = 1) -> None:
        seed = torch.initial_seed() % 2**63
        super().__init__(exp_bits, sig_bits, rmode, random_state=seed)


class _Straight(Quantizer):
    """A function of tensors as a quantizer, straight through.

    Attributes:
        simulator: the function.
        given: what it was made with, for the state dict.
    """

    def __init__(self, simulator: Callable[[Tensor], Tensor], **given: Any) -> None:
        super().__init__()
        self.simulator, self.given = simulator, given

    def forward(self, x: Any) -> Any:
        """The values of ``x``; ``TypeError`` for what is no tensor of floats."""
        return super().forward(_float_tensor(x, type(self).__name__))

    def quantize(self, x: Tensor) -> Tensor:
        """The values of ``x``."""
        result: Tensor = _Identity.apply(x, self.simulator(x.detach()))  # type: ignore[no-untyped-call]
        return result

    def calibrates(self) -> bool:
        """A given format is what it is."""
        return False

    def facts(self) -> dict[str, Any]:
        """What it was made with."""
        return {name: str(value) for name, value in self.given.items()}

    def restore(self, facts: dict[str, Any]) -> None:
        """Nothing, if it is the same; ``ValueError`` if it was made with something else."""
        if {name: facts[name] for name in self.given} != self.facts():
            raise ValueError(f"the state is of {facts}, this has {self.facts()}")

    def extra_repr(self) -> str:
        """What it was made with."""
        return ", ".join(f"{name}={value}" for name, value in self.given.items())


class ChopfSTE(_Straight):
    """``Chopf`` of tensors, straight through; arguments as ``Chopf``."""

    def __init__(self, ibits: int = 4, fbits: int = 4, rmode: int | str = 1) -> None:
        super().__init__(Chopf(ibits, fbits, rmode), ibits=ibits, fbits=fbits, rmode=rmode)


class ChopiSTE(_Straight):
    """``Chopi`` of tensors, straight through; arguments as ``Chopi``.

    As in pychop, calling it gives values, and ``quantize`` integers.
    """

    simulator: Chopi

    def __init__(
        self, bits: int = 8, symmetric: bool = False, per_channel: bool = False, axis: int = 0
    ) -> None:
        chop = Chopi(bits, symmetric, per_channel, axis)
        given = {"bits": bits, "symmetric": symmetric, "per_channel": per_channel, "axis": axis}
        super().__init__(chop, **given)

    def forward(self, x: Any) -> Any:
        """The values of ``x``, straight through; nothing of an empty tensor."""
        x = _float_tensor(x, type(self).__name__)
        return super().quantize(x) if x.numel() else x

    def quantize(self, x: Tensor) -> Tensor:
        """The integers of ``x``."""
        integers: Tensor = self.simulator.quantize(x)
        return integers

    def dequantize(self, q: Tensor) -> Tensor:
        """The values of integers."""
        values: Tensor = self.simulator.dequantize(q)
        return values


class MXQuantizerSTE(_Straight):
    """``mx_quantize`` of tensors, straight through; arguments as ``MXTensor``."""

    def __init__(
        self,
        format: Any = "mxfp8_e4m3",  # noqa: A002 - as pychop calls it
        block_size: int = 32,
        scale_exp_bits: int | None = None,
        scale_sig_bits: int | None = None,
    ) -> None:
        given = {
            "format": format,
            "block_size": block_size,
            "scale_exp_bits": scale_exp_bits,
            "scale_sig_bits": scale_sig_bits,
        }
        super().__init__(functools.partial(mx_quantize, **given), **given)


class BFPQuantizerSTE(_Straight):
    """``bfp_quantize`` of tensors, straight through."""

    def __init__(self, format: Any = "bfp8") -> None:  # noqa: A002 - likewise
        super().__init__(functools.partial(bfp_quantize, format=format), format=format)


class Called(_Straight):
    """Any function of tensors as a quantizer; gradients are the function's own."""

    def quantize(self, x: Tensor) -> Tensor:
        """What the function gives."""
        return self.simulator(x)


def as_quantizer(chop: Any) -> Quantizer:
    """What a layer holds for ``chop=``: a quantizer, or a function as one.

    Raises:
        TypeError: for what cannot be called.
    """
    if isinstance(chop, Quantizer):
        return chop
    if isinstance(chop, torch.nn.Module) or not callable(chop):
        raise TypeError(f"chop must be a ChopSTE or its kin, or a function, not {chop!r}")
    return Called(chop)
