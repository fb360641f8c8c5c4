"""``TypedLayer``: what every bit-exact layer is, and how it is spelled for its C++ twin."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.fixed import Array, Fixed
from harness.hls.layers.interval import Extent, Interval
from harness.names import instead
from harness.oracle.layers import LayerKernel
from harness.quantize import quantize_codes
from harness.types import ApFixed, ApInt, as_array, plain

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "ShapeError",
    "Sum",
    "TypeMismatch",
    "TypedLayer",
    "as_codes",
    "as_fixed",
    "as_type",
    "no_fractions",
]

#: The widest type a layer takes: no sum, product or quotient in it has more than the headers do.
#: Compiled loops compute up to 128 bits, Python integers beyond.
MAX_WIDTH = 256
Shape = tuple[int, ...]


class ShapeError(ValueError):
    """Shapes that do not chain: which layer, what it got and what it takes."""


class TypeMismatch(ValueError):
    """Types that do not chain: which layer, what it got and what it takes."""


@dataclass(frozen=True)
class Sum:
    """The products that one accumulator adds up.

    Attributes:
        x: the inputs in the order they are taken, (terms,).
        w: the weights in the same order, (terms,).
        start: what the accumulator starts from, a scalar: the bias, before its conversion.
        accum: the type of products and accumulator.
        result: the type of the output.
        exact: whether a product is added as it is, and only the sum converted.
    """

    x: Fixed
    w: Fixed
    start: Fixed
    accum: ApFixed
    result: ApFixed
    exact: bool = False


class TypedLayer(nn.Module):
    """A layer whose every intermediate has an HLS type; computes codes as hls4ml's kernel does.

    Shapes are those of the kernels: channels last, without the batch.  ``forward`` takes and gives
    values (float64 out), ``codes`` takes and gives ``int64`` codes, ``compute`` is the arithmetic.

    Attributes:
        input_types: the type of each input.
        input_shapes: the shape of each input, without the batch.
        result: the type of the output.
        output_shape: its shape, without the batch.
        name: how errors and reports call the layer.
        source: the adapter's header.
        input_names: the constructor's arguments that are the types of the inputs.
        affine: whether the output is a sum of inputs times constants, which :meth:`summed` tells.
        bilinear: whether it is a sum of products of inputs, which :meth:`summed` tells.
        monotone: whether no output falls, before its conversion, when an input rises.
        corners: whether an output is extreme, before its conversion, where every input is.
        elementwise: whether each output depends on the input in its place alone.
        told: whether all that stands in its one accumulator is told to whoever watches.
        stateful: whether more than its outputs has the type of the result.
        absorbed: the names of layers of the source model that were folded into this one.
    """

    source = ""
    input_names: tuple[str, ...] = ("input",)
    affine = False
    bilinear = False
    monotone = False
    corners = False
    elementwise = False
    told = False
    stateful = False
    absorbed: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> TypedLayer:
        """Remember what the layer is made of, for :meth:`retyped`."""
        self = super().__new__(cls)
        self.__dict__["_arguments"] = (args, kwargs)
        return self

    def __init__(
        self,
        input_types: Sequence[ApFixed | str],
        input_shapes: Sequence[Shape],
        result: ApFixed | str,
        output_shape: Shape,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.input_types = tuple(as_type(t, "input") for t in input_types)
        self.input_shapes = tuple(tuple(int(n) for n in shape) for shape in input_shapes)
        self.result = as_type(result, "result")
        self.output_shape = tuple(int(n) for n in output_shape)
        for shape in (*self.input_shapes, self.output_shape):
            if not shape or any(n < 1 for n in shape):
                raise ShapeError(f"{self.name}: a shape has positive sizes, not {shape}")

    def compute(self, *inputs: Fixed) -> Fixed:
        """The layer's output, (rows, *output_shape) of type ``result``.

        Args:
            inputs: (rows, *input_shape) of the input's type, each.
        """
        raise NotImplementedError

    def kernel(self) -> LayerKernel:
        """The C++ twin: hls4ml's kernel with this layer's types and sizes.

        Equal kernels must have equal text, and different ones different: whatever decides the
        machine code is a template argument.
        """
        raise NotImplementedError

    def code_range(self, place: int) -> tuple[int, int]:
        """The least and the largest code that an input may have: by default all of its type.

        Args:
            place: which input.
        """
        t = self.input_types[place]
        return t.min_code, t.max_code

    def constants(self) -> tuple[Fixed, ...]:
        """The parameters that the twin reads, in its order: weights, biases, tables."""
        return ()

    def parameter(self, name: str, values: Any, t: ApFixed | str, shape: Shape) -> None:
        """Keep a parameter: ``values`` are floats, to be converted as C++ does, or a ``Fixed``.

        The codes are a buffer, so they travel with the module's state.

        Raises:
            ShapeError: for another shape.
            ValueError: for NaN and infinities.
            TypeMismatch: for a ``Fixed`` of another type.
        """
        t = as_type(t, name)
        fixed = as_fixed(values, t, f"{self.name}.{name}")
        if fixed.shape != shape:
            raise ShapeError(f"{self.name}: {name} has shape {fixed.shape}, must have {shape}")
        self.register_buffer(name, torch.from_numpy(_buffer(fixed)))
        self._types[name] = t

    @property
    def _types(self) -> dict[str, ApFixed]:
        found: dict[str, ApFixed] = self.__dict__.setdefault("_parameter_types", {})
        return found

    @property
    def parameter_types(self) -> dict[str, ApFixed]:
        """The type of each parameter, by name."""
        return dict(self._types)

    def fixed(self, name: str) -> Fixed:
        """A parameter's codes with their type."""
        words, t = getattr(self, name).cpu().numpy(), self._types[name]
        return Fixed(words, t) if t.width <= 64 else Fixed.of_words(words, t, words.shape[:-1])

    def retyped(self, **changes: Any) -> Self:
        """A new layer of the same parameters with other types, by the names of its arguments.

        Raises:
            TypeError: for a name that the layer does not take.
        """
        args, kwargs = self.__dict__["_arguments"]
        signature = inspect.signature(type(self))
        for name in changes:
            if name not in signature.parameters:
                known = instead(name, signature.parameters)
                raise TypeError(f"{self.name} takes no {name}; it takes {known}")
        given = signature.bind(*args, **kwargs).arguments
        layer = type(self)(**{**given, **changes})
        layer.name, layer.absorbed = self.name, self.absorbed
        for name, t in layer.parameter_types.items():
            # The codes may be others by now than those the layer was made with.
            same = name not in changes and self.parameter_types.get(name) == t
            if same and getattr(layer, name).shape == getattr(self, name).shape:
                getattr(layer, name).copy_(getattr(self, name))
        return layer

    def given(self, *types: ApFixed) -> Self:
        """The layer for inputs of these types; itself if it has them."""
        if types == self.input_types:
            return self
        return self.retyped(**dict(zip(self.input_names, types, strict=True)))

    def takes(self, name: str) -> bool:
        """Whether the constructor takes an argument of this name."""
        return name in inspect.signature(type(self)).parameters

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """What is added up to one output of one row; ``None`` for a layer without accumulator.

        ``None`` too if its terms are no products, but what else ``nnet_mult.h`` makes of a pair.

        Args:
            inputs: the row, each of the input's shape.
            index: the output's place.
        """
        del inputs, index
        return None

    def extent(self, *inputs: Interval) -> Extent | None:
        """Bounds of what its types should hold, where the attributes do not say how to find them.

        Args:
            inputs: bounds of each input, of its shape.
        """
        del inputs
        return None

    def check(self, inputs: Sequence[Fixed]) -> int:
        """The rows of a batch.

        Raises:
            ShapeError, TypeMismatch: if ``inputs`` are not what the layer takes.
        """
        if len(inputs) != len(self.input_types):
            raise ShapeError(f"{self.name} takes {len(self.input_types)} inputs, got {len(inputs)}")
        rows = {len(x) if x.ndim else -1 for x in inputs}
        for x, t, shape in zip(inputs, self.input_types, self.input_shapes, strict=True):
            if x.type != t:
                raise TypeMismatch(f"{self.name} takes {t}, got {x.type}")
            if x.shape[1:] != shape or len(rows) > 1 or x.ndim == 0:
                raise ShapeError(f"{self.name} takes (rows, {_sizes(shape)}), got {x.shape}")
        return rows.pop()

    def run(self, *inputs: Fixed) -> Fixed:
        """:meth:`compute` on checked inputs."""
        self.check(inputs)
        return self.compute(*inputs)

    def codes(self, *codes: Any) -> Tensor:
        """Codes to codes: integer tensors or arrays in, ``int64`` tensor out.

        Raises:
            ValueError: for a result of more than 64 bits, which :meth:`run` gives.
        """
        inputs = [as_codes(c, t, self.name) for c, t in zip(codes, self.input_types, strict=True)]
        return as_tensor(self.run(*inputs), self.name)

    def forward(self, *values: Any) -> Tensor:
        """Values to values, float64.

        Inputs are converted to the input's type by the C++ constructor; of a layer before this one
        they are values of that type already, and stay what they are.
        """
        inputs = [as_fixed(v, t, self.name) for v, t in zip(values, self.input_types, strict=True)]
        return torch.from_numpy(np.ascontiguousarray(self.run(*inputs).values()))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Elements of each input, and of the output."""
        return (*(math.prod(s) for s in self.input_shapes), math.prod(self.output_shape))

    def extra_repr(self) -> str:
        """Types and shapes, as the module prints itself."""
        ins = ", ".join(
            f"{t}[{_sizes(s)}]" for t, s in zip(self.input_types, self.input_shapes, strict=True)
        )
        return f"{ins} -> {self.result}[{_sizes(self.output_shape)}]"


def as_type(t: ApFixed | str, name: str) -> ApFixed:
    """An HLS type, from its record or its spelling in C++ or hls4ml's configuration.

    Raises:
        ValueError: for no type, one that rounds by chance, or one of more than 256 bits.
    """
    if isinstance(t, str):
        try:
            t = ApFixed.parse(t)
        except ValueError as error:
            raise ValueError(f"{name} type {t}: {error}") from None
    if not isinstance(t, ApFixed):
        raise ValueError(f"{name} type must be an ApFixed or its spelling, not {t!r}")
    if t.rounding.stochastic:
        raise ValueError(f"{name} type {t} rounds by chance, which no hardware type does")
    if t.width > MAX_WIDTH:
        raise ValueError(f"{name} type {t} has more than {MAX_WIDTH} bits")
    return t


def as_tensor(x: Fixed, name: str) -> Tensor:
    """Codes as an ``int64`` tensor.

    Raises:
        ValueError: for a type that no tensor holds.
    """
    if x.type.width > 64:
        raise ValueError(f"{name}: torch holds codes of 64 bits, not {x.type}; use run(*inputs)")
    return torch.from_numpy(np.ascontiguousarray(x.codes))


def no_fractions(name: str, accum: ApFixed, *terms: ApFixed) -> None:
    """Refuse an accumulator of integers that fractions are added to unconverted.

    The headers cut them off one by one, where an ``ap_fixed`` adds first.

    Raises:
        ValueError: if it is one.
    """
    if isinstance(accum, ApInt) and any(t.frac > 0 for t in terms):
        raise ValueError(f"{name}: fractions are added to an {accum}; allowed: ap_fixed, ap_ufixed")


def as_fixed(values: Any, t: ApFixed, name: str) -> Fixed:
    """Values as C++ converts doubles to ``t``; a ``Fixed`` must have the type already."""
    if isinstance(values, Fixed):
        if values.type != t:
            raise TypeMismatch(f"{name} takes {t}, got {values.type}")
        return values
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else plain(as_array(values))
    if array.dtype == object:
        raise TypeError(f"{name}: values are floats, or integers of up to 64 bits")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: a value is NaN or infinite")
    return Fixed(np.asarray(quantize_codes(array, t)), t)


def as_codes(codes: Any, t: ApFixed, name: str) -> Fixed:
    """Integers as codes of ``t``; ``TypeError`` or ``ValueError`` if they are none."""
    array = codes.detach().cpu().numpy() if isinstance(codes, Tensor) else as_array(codes)
    whole = t.width > 64 and array.dtype == object and all(isinstance(c, int) for c in array.flat)
    if array.dtype.kind not in "iu" and not whole:
        raise TypeError(f"{name}: codes must be integers, not {array.dtype}")
    if array.size and not (t.min_code <= int(array.min()) and int(array.max()) <= t.max_code):
        raise ValueError(f"{name}: codes of {t} are {t.min_code} to {t.max_code}")
    return Fixed(array if t.width > 64 else array.astype(np.int64, copy=False), t)


def _buffer(x: Fixed) -> Array:
    """A copy of codes as ``int64``: in their shape; of more than 64 bits (*shape, words)."""
    if x.type.width <= 64:
        return np.array(x.codes, np.int64)
    words = x.words.copy()
    return words.reshape(*x.shape, words.shape[1])


def _sizes(shape: Shape) -> str:
    return ", ".join(map(str, shape))
