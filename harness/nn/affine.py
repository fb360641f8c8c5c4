"""Affine quantization: integers from ``qmin`` to ``qmax`` at a scale, from an offset on.

``q = clamp(round(x / scale) - offset, qmin, qmax)``, ties to even, and the value is
``(q + offset) * scale``: both exactly, the value rounded once, to the dtype of ``x``.  With a scale
of ``2**-f`` and offset 0 this is ``ApFixed`` with ``RND_CONV`` and ``SAT``.  The gradient of ``x``
passes between the lowest and the highest value, both included.  That of the scale is ``y / scale``
beyond and ``(y - x) / scale`` between; that of the offset is the scale beyond, and 0 between.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.exported import check_exported_affine, exported_affine
from harness.nn.observers import Observer, broadcast
from harness.nn.quantizers import Quantizer
from harness.nn.steps import narrowed, on_steps
from harness.nn.straight_through import is_traced, masked

__all__ = ["AffineQuantizer", "affine"]

#: The scale of a tensor of zeros, as AIMET has it.
EPS = torch.finfo(torch.float32).eps


def affine(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    """The values of ``x``, in its shape and dtype; ``scale`` and ``offset`` broadcast against it.

    An offset counts as the integer nearest to it.

    Raises:
        TypeError: if ``x`` is no float tensor, or has no dtype that holds what its scale has.
        ValueError: for ``qmin >= qmax``, and integers beyond 2**45.
    """
    if not x.is_floating_point():
        raise TypeError(f"affine takes float tensors, not {x.dtype}")
    if qmin >= qmax:
        raise ValueError(f"qmin must be below qmax, {qmin} is not below {qmax}")
    traced = is_traced()
    if traced and torch.onnx.is_in_onnx_export():
        return exported_affine(x, scale, torch.round(offset), qmin, qmax)
    compute: Any = _operator if traced else _Affine.apply
    y: Tensor = compute(x, scale, offset, qmin, qmax)
    return y


def _values(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    return on_steps(x.detach(), scale.detach(), torch.round(offset.detach()), qmin, qmax)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    # The output is not kept: a ReLU in place may follow.
    x, scale, offset, ctx.qmin, ctx.qmax = inputs
    ctx.save_for_backward(x, scale, offset)


def _pass_back(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    """The gradients of all arguments."""
    x, scale, start = ctx.saved_tensors
    offset = torch.round(start.detach())
    low, high = (
        narrowed((q + offset.double()) * scale.detach().double(), x.dtype)
        for q in (ctx.qmin, ctx.qmax)
    )
    if low.numel() == 1 and not torch.compiler.is_compiling():
        to_x = masked(gradient, x, (float(low), float(high)))
    else:
        to_x = torch.where((x >= low) & (x <= high), gradient, 0)
    to_scale = to_offset = None
    if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
        inside, y = (x >= low) & (x <= high), affine(x, scale, start, ctx.qmin, ctx.qmax)
        # Sums of many elements, and small differences: half precision is not for them.
        gradient, x, y = (
            each.to(torch.promote_types(x.dtype, torch.float32)) for each in (gradient, x, y)
        )
        slope = torch.where(inside, y - x, y) / scale
        to_scale = (gradient * slope).sum_to_size(scale.shape).to(scale.dtype)
        beyond = torch.where(inside, 0, gradient) * scale
        to_offset = beyond.sum_to_size(offset.shape).to(offset.dtype)
    return to_x, to_scale, to_offset, None, None


class _Affine(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
        return _values(x, scale, offset, qmin, qmax)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _remember(ctx, inputs, output)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        return _pass_back(ctx, gradients[0])

    @staticmethod
    def vmap(
        info: Any,  # noqa: ARG004
        in_dims: tuple[Any, ...],
        x: Tensor,
        scale: Tensor,
        offset: Tensor,
        qmin: int,
        qmax: int,
    ) -> tuple[Tensor, int]:
        if in_dims[1] is not None or in_dims[2] is not None:
            raise ValueError("vmap takes a batch of tensors, not of encodings")
        # Encodings broadcast against the last axes, and leave the first to the batch.
        return affine(x.movedim(in_dims[0], 0), scale, offset, qmin, qmax), 0


@torch.library.custom_op("harness::affine", mutates_args=())
def _operator(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    """What ``torch.compile`` sees: the same arithmetic, which its own kernels would not have."""
    return _values(x, scale, offset, qmin, qmax)


@_operator.register_fake
def _(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:  # noqa: ARG001
    if torch.onnx.is_in_onnx_export():  # which comes here when it failed before: say why
        check_exported_affine(x.dtype, qmin, qmax)
    return torch.empty_like(x)


_operator.register_autograd(_pass_back, setup_context=_remember)


class AffineQuantizer(Quantizer):
    """Affine fake quantization: per tensor, per channel or per block.

    Args:
        shape: of scale and offset: ``()`` or ``(1,)`` per tensor, ``(C, 1, 1, 1)`` per channel of a
            convolution's weight; it broadcasts against what is quantized.
        bitwidth: ``qmin`` and ``qmax`` are those of a signed integer so wide if ``symmetric``, else
            of an unsigned one.
        qmin: the lowest integer, in place of a bit width.
        qmax: the highest.
        symmetric: whether the offset stays such that 0 is in the middle.
        block_size: how many elements of each axis share an encoding, -1 for all that there are;
            ``shape`` then counts the blocks.
        trainable: whether the scale is a parameter that requires gradients, and so the offset if
            not ``symmetric``.

    Raises:
        ValueError: for both or neither of ``bitwidth`` and ``qmin``, ``qmax``; for other than one
            block size an axis.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (),
        bitwidth: int | None = None,
        *,
        qmin: int | None = None,
        qmax: int | None = None,
        symmetric: bool = True,
        block_size: tuple[int, ...] | None = None,
        trainable: bool = True,
        observer: Observer | None = None,
    ) -> None:
        super().__init__(observer)
        self.shape = tuple(shape)
        self.qmin, self.qmax = _integers(bitwidth, qmin, qmax, symmetric)
        self.symmetric = symmetric
        if block_size is not None and len(block_size) != len(self.shape):
            raise ValueError(f"block_size {block_size} needs a size for each axis of {self.shape}")
        self.block_size = block_size
        self.observer.shape = self._wide(self.shape)
        self.scale = nn.Parameter(torch.ones(self.shape), requires_grad=trainable)
        self.offset = nn.Parameter(
            torch.zeros(self.shape), requires_grad=trainable and not symmetric
        )
        self.settled = False

    @property
    def whole_offset(self) -> Tensor:
        """The offset as it counts: training moves it between integers."""
        return self.offset + (torch.round(self.offset) - self.offset).detach()

    @property
    def min(self) -> Tensor:
        """The lowest value, in the quantizer's shape."""
        return (self.qmin + self.whole_offset) * self.scale

    @property
    def max(self) -> Tensor:
        """The highest value."""
        return (self.qmax + self.whole_offset) * self.scale

    def is_initialized(self) -> bool:
        """Whether scale and offset were calibrated or set."""
        return self.settled

    def set_range(self, low: Any, high: Any) -> None:
        """The encodings that represent ``low`` to ``high``, and 0 exactly; 0 alone has ``EPS``.

        Raises:
            ValueError: for bounds that are not finite.
        """
        low, high = (torch.as_tensor(end, dtype=torch.float64) for end in (low, high))
        if not bool(torch.isfinite(low).all() and torch.isfinite(high).all()):
            raise ValueError(f"no encoding holds a range of {low.min()} to {high.max()}")
        low, high = low.clamp(max=0), high.clamp(min=0)
        if self.symmetric:
            middle = (self.qmin + self.qmax + 1) // 2
            below = -low / (middle - self.qmin)
            scale = torch.maximum(below, high / max(self.qmax - middle, 1))
        else:
            scale = (high - low) / (self.qmax - self.qmin)
        kept = scale.to(self.scale.dtype)
        kept = torch.where(kept > 0, kept, EPS)
        if not bool(torch.isfinite(kept).all()):
            raise ValueError(f"{kept.dtype} has no scale of {scale.max()}")
        if self.symmetric:
            offset = torch.full_like(kept, 0.0 - middle)
        else:
            offset = torch.round(low / kept.double()) - self.qmin
        self.set_encodings(kept, offset)

    def set_encodings(self, scale: Any, offset: Any = 0) -> None:
        """Scale and offset: one number, of the quantizer's shape, or one for each of its channels.

        Raises:
            ValueError: for a scale that is not positive, and for other shapes.
        """
        scale = torch.as_tensor(scale, dtype=self.scale.dtype)
        if not bool((scale > 0).all()):
            raise ValueError("a scale must be positive")
        with torch.no_grad():
            offset = torch.as_tensor(offset, dtype=self.offset.dtype)
            for kept, given in ((self.scale, scale), (self.offset, offset)):
                channels = [n for n in self.shape if n > 1]
                fits = given.numel() == 1 or list(given.shape) in (list(self.shape), channels)
                if not fits:
                    raise ValueError(
                        f"encodings of shape {tuple(given.shape)} are given, not {self.shape}"
                    )
                kept.copy_(given.reshape(self.shape if given.numel() > 1 else ()))
        self.settled = True

    def settle(self) -> None:
        """Encodings for what the observer found."""
        low, high = self.observer.range(self.qmax - self.qmin)
        self.set_range(low.reshape(self.shape), high.reshape(self.shape))

    def forward(self, x: Any) -> Any:
        """``x`` quantized, block by block if there are blocks."""
        if self.block_size is None or not isinstance(x, Tensor) or not x.is_floating_point():
            return super().forward(x)
        return super().forward(self._blocks(x)).reshape(x.shape)

    def quantize(self, x: Tensor) -> Tensor:
        """The values in the encodings."""
        try:
            shape = broadcast(self._wide(self.shape), x)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}; give the quantizer another shape") from None
        scale, offset = self.scale.reshape(shape), self.offset.reshape(shape)
        return affine(x, scale, offset, self.qmin, self.qmax)

    def _wide(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape of blocks as it broadcasts against a tensor split into blocks."""
        return shape if self.block_size is None else tuple(n for b in shape for n in (b, 1))

    def _blocks(self, x: Tensor) -> Tensor:
        """``x`` with each axis split into blocks and what is in a block."""
        assert self.block_size is not None
        facts = zip(x.shape[x.dim() - len(self.shape) :], self.shape, self.block_size, strict=True)
        split: list[int] = []
        for length, blocks, size in facts:
            each = length // blocks if size == -1 else size
            if each * blocks != length:
                raise ValueError(
                    f"an axis of {length} does not split into {blocks} blocks of {each}"
                )
            split += [blocks, each]
        return x.reshape(*x.shape[: x.dim() - len(self.shape)], *split)

    def facts(self) -> dict[str, Any]:
        """What the tensors of the state dict do not tell."""
        names = ("qmin", "qmax", "symmetric", "block_size", "settled")
        return {name: getattr(self, name) for name in names}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        ends, sizes = (facts["qmin"], facts["qmax"]), facts["block_size"]
        symmetric, settled = bool(facts["symmetric"]), bool(facts["settled"])
        self.qmin, self.qmax = ends
        self.block_size = None if sizes is None else tuple(sizes)  # JSON has lists
        if symmetric != self.symmetric:
            self.offset.requires_grad_(self.scale.requires_grad and not symmetric)
        self.symmetric, self.settled = symmetric, settled

    def extra_repr(self) -> str:
        """Shape and integers."""
        kind = "symmetric" if self.symmetric else "asymmetric"
        return f"shape={self.shape}, qmin={self.qmin}, qmax={self.qmax}, {kind}"


def _integers(
    bitwidth: int | None, qmin: int | None, qmax: int | None, symmetric: bool
) -> tuple[int, int]:
    if (bitwidth is None) == (qmin is None) or (qmin is None) != (qmax is None):
        raise ValueError("an affine quantizer takes a bitwidth, or qmin and qmax")
    if bitwidth is not None:
        if not 1 <= bitwidth <= 32:
            raise ValueError(f"bitwidth must be 1 to 32, not {bitwidth}")
        half = 1 << (bitwidth - 1)
        return (-half, half - 1) if symmetric else (0, 2 * half - 1)
    assert qmin is not None
    assert qmax is not None
    if qmin >= qmax:
        raise ValueError(f"qmin must be below qmax, {qmin} is not below {qmax}")
    return qmin, qmax
