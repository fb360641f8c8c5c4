"""The mixin that makes a quantized module of a torch module: quantizers around its forward.

Input quantizer k belongs to the k-th parameter of the parent's ``forward``; the members of a tuple
or list take places from there on, and so do variadic inputs.  Output quantizers belong to the
results in order, parameter quantizers to parameters by name.  All are ``None`` at first, and then
the module is its parent, bit for bit.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from harness.nn.quantizers import Quantizer, name_of

__all__ = [
    "QUANTIZED",
    "ExplicitModule",
    "ParamQuantizers",
    "QuantizedModule",
    "compute_encodings",
    "quantizers_of",
]

_M = TypeVar("_M", bound="QuantizedModule")
#: The quantized class of each torch class; ``harness.nn.registry`` fills it.
QUANTIZED: dict[type[nn.Module], type[QuantizedModule]] = {}
_LISTS = ("input_quantizers", "output_quantizers", "param_quantizers", "intermediate_quantizers")


class ParamQuantizers(nn.ModuleDict):
    """Quantizers by the name of a parameter or a point, or by its place; ``None`` at first."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        for name in names:
            self.add_module(name, None)

    def __setitem__(self, key: Any, quantizer: Any) -> None:
        name = list(self)[key] if isinstance(key, int) else key
        if name not in self:
            raise KeyError(f"there is no {name}; there are: {', '.join(self) or 'none'}")
        super().__setitem__(name, quantizer)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(list(self)[key] if isinstance(key, int) else key)


class QuantizedModule:
    """A mixin: a quantized class inherits it first, then the torch module.

    Attributes:
        input_quantizers: ``ModuleList``, a quantizer or ``None`` for each input.
        output_quantizers: ... for each output.
        param_quantizers: ``ModuleDict``, ... for each parameter by name.
        intermediate_quantizers: ``ModuleDict``, ... for each named point inside, if any.
        inputs: how many inputs the class has.
        outputs: how many outputs.
        points: the names of the points inside.
        where: how errors name the module: its path, once ``name_modules`` has told it.
    """

    inputs: int = 1
    outputs: int = 1
    points: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._quant_init()

    def _quant_init(self) -> None:
        """Add the quantizers, all ``None``."""
        self.input_quantizers = nn.ModuleList([None] * self.inputs)  # type: ignore[list-item]
        self.output_quantizers = nn.ModuleList([None] * self.outputs)  # type: ignore[list-item]
        names = self._parameters  # type: ignore[attr-defined]
        self.param_quantizers = ParamQuantizers(names)
        self.intermediate_quantizers = ParamQuantizers(self.points)
        self.kernel: Callable[..., Any] | None = None
        self.where = ""
        self._calibrating = False

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The parent's forward, on quantized inputs and parameters, its results quantized."""
        args, kwargs = self._quantized_inputs(args, kwargs)
        with self._quantized_parameters():
            if self.kernel is None or self._observing():
                result = self._computed(*args, **kwargs)
            else:
                result = self.kernel(*args, **kwargs, **self._parameters)  # type: ignore[attr-defined]
        return self._quantized_outputs(result)

    def _computed(self, *args: Any, **kwargs: Any) -> Any:
        """What is computed of quantized inputs and parameters: the parent's forward."""
        return super().forward(*args, **kwargs)  # type: ignore[misc]

    def set_kernel(self, kernel: Callable[..., Any] | None) -> None:
        """Compute with ``kernel(*inputs, **parameters)`` instead of the parent's forward.

        It gets quantized inputs and parameters.  It is bypassed while encodings are computed;
        ``None`` takes it away.
        """
        self.kernel = kernel

    def point(self, name: str, x: Tensor) -> Tensor:
        """``x`` through the quantizer of a point inside, if there is one."""
        quantizer = self.intermediate_quantizers[name]
        return x if quantizer is None else quantizer(x)

    def compute_encodings(self) -> contextlib.AbstractContextManager[None]:
        """Let this module's quantizers observe what passes, and settle on exit."""
        return compute_encodings(self)  # type: ignore[arg-type]

    @classmethod
    def from_module(cls: type[_M], module: nn.Module) -> _M:
        """The quantized module of a torch module: its very parameters, buffers, hooks and mode.

        The mixin itself, which no torch class is the parent of, makes one of the registered class.

        Raises:
            TypeError: for a module of another class than the parent, or of none that is registered.
        """
        if not issubclass(cls, nn.Module):
            found: Any = QUANTIZED.get(type(module))
            if found is None or not issubclass(found, cls):
                kind = type(module).__name__
                raise TypeError(f"{kind} has no quantized class; register one")
            return found.from_module(module)  # type: ignore[no-any-return]
        parent = cls.parent()
        if type(module) is not parent:
            raise TypeError(
                f"{cls.__name__} is made from {parent.__name__}, not {type(module).__name__}"
            )
        made = cls.__new__(cls)
        made.__dict__.update(_copied(module))
        made._quant_init()
        return made

    def original(self) -> nn.Module:
        """The torch module without quantizers: the same parameters, buffers, hooks and mode."""
        parent = self.parent()
        made = parent.__new__(parent)
        made.__dict__.update(_copied(self))  # type: ignore[arg-type]
        for name in _LISTS:
            made._modules.pop(name, None)
        for name in ("kernel", "where", "_calibrating"):
            made.__dict__.pop(name, None)
        return made

    @classmethod
    def parent(cls) -> type[nn.Module]:
        """The torch class that is quantized; ``TypeError`` of a mixin, which has none."""
        if not issubclass(cls, nn.Module):
            raise TypeError(f"{cls.__name__} is a mixin, of no torch class")
        bases = [base for base in cls.__mro__ if issubclass(base, nn.Module)]
        return next(base for base in bases if not issubclass(base, QuantizedModule))

    def _observing(self) -> bool:
        quantizers = quantizers_of(self)  # type: ignore[arg-type]
        return self._calibrating or any(quantizer._observing for quantizer in quantizers)

    def _parameters_of(self) -> Iterator[tuple[Quantizer, Tensor]]:
        """Every parameter that has a quantizer."""
        parameters: dict[str, Any] = self._parameters  # type: ignore[attr-defined]
        quantizers: dict[str, Any] = dict(self.param_quantizers.items())
        for name, quantizer in quantizers.items():
            parameter = parameters.get(name)
            if quantizer is not None and parameter is not None:
                yield quantizer, parameter

    def _calibrate_new_weights(self) -> None:
        """Encodings for quantizers that have none, and stand at parameters of this module alone."""
        new = [(q, w) for q, w in self._parameters_of() if not (q.is_initialized() or q._observing)]
        if new:
            elsewhere = set(_of_activations(self))
            _observe([(q, w) for q, w in new if q not in elsewhere])

    def _quantized_inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        quantizers = _listed(self.input_quantizers)
        if all(quantizer is None for quantizer in quantizers):
            return args, kwargs
        names = _names_of_inputs(self.parent()) if kwargs else ()  # type: ignore[arg-type]
        quantized = [self._each(quantizers, x, k, "input")[0] for k, x in enumerate(args)]
        keywords = {
            name: self._each(quantizers, x, names.index(name), "input")[0] if name in names else x
            for name, x in kwargs.items()
        }
        return tuple(quantized), keywords

    def _quantized_outputs(self, result: Any) -> Any:
        quantizers = _listed(self.output_quantizers)
        if all(quantizer is None for quantizer in quantizers):
            return result
        return self._each(quantizers, result, 0, "output")[0]

    def _each(self, quantizers: list[Any], value: Any, place: int, what: str) -> tuple[Any, int]:
        """``value`` with its float tensors quantized, and the place after it."""
        if isinstance(value, PackedSequence):
            data, place = self._each(quantizers, value.data, place, what)
            return value._replace(data=data), place
        if isinstance(value, (tuple, list)):
            members = []
            for member in value:
                quantized, place = self._each(quantizers, member, place, what)
                members.append(quantized)
            made = type(value)
            return (made(*members) if hasattr(value, "_fields") else made(members)), place
        if not isinstance(value, Tensor) or not value.is_floating_point():
            return value, place + 1
        if place >= len(quantizers):
            raise ValueError(
                f"{name_of(self)} has {len(quantizers)} {what} quantizers, and a float {what} at "
                f"place {place}; append a quantizer or None to {what}_quantizers"
            )
        quantizer = quantizers[place]
        return (value if quantizer is None else quantizer(value)), place + 1

    @contextlib.contextmanager
    def _quantized_parameters(self) -> Iterator[None]:
        """Quantized tensors in the places of the parameters, which come back afterwards."""
        parameters: dict[str, Any] = self._parameters  # type: ignore[attr-defined]
        originals = parameters.copy()
        try:
            self._quantize_parameters()
            yield
        finally:
            parameters.update(originals)

    def _quantize_parameters(self) -> None:
        parameters: dict[str, Any] = self._parameters  # type: ignore[attr-defined]
        modules: dict[str, Any] = self.param_quantizers._modules
        quantizers = [(name, q) for name, q in modules.items() if q is not None]
        if not all(quantizer.is_initialized() for _, quantizer in quantizers):
            self._calibrate_new_weights()
        for name, quantizer in quantizers:
            if name not in parameters:
                raise ValueError(
                    f"{name_of(self)}: {name} is parametrized and cannot be quantized; call "
                    "torch.nn.utils.parametrize.remove_parametrizations first"
                )
            if parameters[name] is not None:
                parameters[name] = _quantized(quantizer, parameters[name])


class ExplicitModule(QuantizedModule):
    """... with the parent's own forward, or ``explicit`` where something inside is quantized.

    A torch module computes in one kernel, whose inner results no quantizer reaches.  ``explicit``
    says the same in single operations, and names each result.
    """

    def explicit(self, *args: Any, **kwargs: Any) -> Any:
        """What the parent computes, up to the order of operations, with its points quantized."""
        raise NotImplementedError

    def is_explicit(self) -> bool:
        """Whether the next forward is ``explicit``: a point has a quantizer."""
        return any(point is not None for point in self.intermediate_quantizers.values())

    def _computed(self, *args: Any, **kwargs: Any) -> Any:
        """The parent's forward or ``explicit``."""
        compute = self.explicit if self.is_explicit() else super()._computed
        return compute(*args, **kwargs)


def _listed(quantizers: nn.ModuleList) -> list[Any]:
    """What a module's list has, which is slow to ask one by one."""
    return list(quantizers._modules.values())


@functools.cache
def _names_of_inputs(parent: type[nn.Module]) -> tuple[str, ...]:
    """The parameters of a class's ``forward``."""
    return tuple(inspect.signature(parent.forward).parameters)[1:]


def quantizers_of(module: nn.Module) -> Iterator[Quantizer]:
    """Every quantizer in a module and below it, each once."""
    for child in module.modules():
        if isinstance(child, Quantizer):
            yield child


def _quantized(quantizer: Any, parameter: Tensor) -> Any:
    """A parameter quantized, also while its quantizer observes activations, if it has a type."""
    if not quantizer._observing or quantizer.calibrates():
        return quantizer(parameter)
    quantizer._observing = False
    try:
        return quantizer(parameter)
    finally:
        quantizer._observing = True


def _of_activations(module: QuantizedModule) -> Iterator[Quantizer]:
    """The quantizers of a module's inputs, outputs and points inside."""
    inside: Any = module.intermediate_quantizers
    places: list[Any] = [*module.input_quantizers, *module.output_quantizers, *inside.values()]
    for quantizer in places:
        if quantizer is not None:
            yield quantizer


def _observe(pairs: Iterable[tuple[Quantizer, Tensor]]) -> None:
    """Let quantizers observe these tensors, and settle."""
    with contextlib.ExitStack() as stack:
        for quantizer in dict.fromkeys(quantizer for quantizer, _ in pairs):
            stack.enter_context(quantizer.compute_encodings())
        for quantizer, tensor in pairs:
            quantizer(tensor)


@contextlib.contextmanager
def compute_encodings(model: nn.Module) -> Iterator[None]:
    """Let every quantizer of a model observe what passes, and settle on exit.

    Quantizers of parameters settle at once, by the parameters, and the activations that are
    observed are those of quantized parameters.  No activation is quantized while inside; nor is a
    parameter whose quantizer is an activation's too, and waits for its type.  On an exception every
    quantizer is as it was before.
    """
    modules = [module for module in model.modules() if isinstance(module, QuantizedModule)]
    quantizers = list(quantizers_of(model))
    kept = {q: (q.state(), [p.detach().clone() for p in q.parameters()]) for q in quantizers}
    weights = [pair for module in modules for pair in module._parameters_of()]
    of_weights = {q for q, _ in weights} - {
        q for module in modules for q in _of_activations(module)
    }
    try:
        with contextlib.ExitStack() as stack:
            _observe([(q, w) for q, w in weights if q in of_weights])
            for module in modules:
                stack.enter_context(_calibrating(module))
            for quantizer in quantizers:
                if quantizer not in of_weights:
                    stack.enter_context(quantizer.compute_encodings())
            for quantizer, weight in weights:
                if quantizer not in of_weights:
                    quantizer(weight)
            yield
    except BaseException:
        for quantizer, (state, parameters) in kept.items():
            with torch.no_grad():
                for parameter, before in zip(quantizer.parameters(), parameters, strict=True):
                    parameter.copy_(before)
            # Last: some tell by their parameters' versions whether they were ever set.
            quantizer.set_state(state)
        raise


@contextlib.contextmanager
def _calibrating(module: QuantizedModule) -> Iterator[None]:
    """A module that computes with its parent's forward, not with a kernel."""
    before, module._calibrating = module._calibrating, True
    try:
        yield
    finally:
        module._calibrating = before


def _copied(module: nn.Module) -> dict[str, Any]:
    """A module's state, its registries and lists copied so that two modules do not share these."""
    return {k: type(v)(v) if isinstance(v, dict | list) else v for k, v in module.__dict__.items()}
