"""The mixin of AIMET's quantized modules, on ``harness.nn.base.QuantizedModule``.

A class that a user writes inherits the mixin first, then the module, says in ``__quant_init__`` how
many quantizers there are, and calls them in its own ``forward``; ``super().forward`` is then the
module's::

    @QuantizationMixin.implements(MaskedAdd)
    class QuantizedMaskedAdd(QuantizationMixin, MaskedAdd):
        def __quant_init__(self):
            super().__quant_init__()
            self.input_quantizers = nn.ModuleList([None, None, None])

        def forward(self, input, mask, value): ...
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from harness.interfaces.aimet.quantization.base import QuantizerBase
from harness.interfaces.aimet.quantization.tensor import QuantizedTensorBase
from harness.interfaces.aimet.utils import removed_from
from harness.nn.base import QuantizedModule, _observe
from harness.nn.base import compute_encodings as _compute_encodings

__all__ = [
    "BaseQuantizationMixin",
    "NotRegisteredError",
    "QuantizationMixin",
    "compute_encodings",
    "compute_param_encodings",
]

_C = TypeVar("_C", bound=type)
Places = int | str | Sequence[int | str]


#: Modules whose result has the encoding of what comes, by the rules of quantized tensors.
_MOVES = {
    *("Reshape", "Permute", "Expand", "Tile", "StridedSlice", "Split", "Gather", "IndexSelect"),
    *("Flatten", "Unflatten", "Identity"),
}


class NotRegisteredError(RuntimeError, TypeError):
    """A module's class has no quantized one."""


class BaseQuantizationMixin(QuantizedModule):
    """What a quantized module of AIMET's has.

    Attributes:
        input_quantizers: a ``ModuleList``, ``None`` or a quantizer for each input.
        output_quantizers: the same for outputs.
        param_quantizers: a ``ModuleDict`` by the parameters' names.
        cls_to_qcls: the quantized class of each class of modules.
        qcls_to_cls: the inverse.
    """

    cls_to_qcls: dict[type[nn.Module], Any] = {}  # noqa: RUF012  # one table for all classes
    qcls_to_cls: dict[Any, type[nn.Module]] = {}  # noqa: RUF012
    _default_kernel: Callable[..., Any] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "quantized_forward" in vars(cls) and "forward" not in vars(cls):
            warnings.warn(
                f"{cls.__name__} has quantized_forward; call it forward",
                DeprecationWarning,
                stacklevel=2,
            )
            cls.forward = vars(cls)["quantized_forward"]  # type: ignore[method-assign]

    def _quant_init(self) -> None:
        self.__quant_init__()

    def __quant_init__(self) -> None:
        """Make the lists of quantizers; a class of one's own says here how long they are."""
        super()._quant_init()
        self._has_kernel = False
        children: dict[str, Any] = self._modules  # type: ignore[attr-defined]
        for kind in ("param", "input", "output", "intermediate"):  # AIMET's order, of modules()
            name = f"{kind}_quantizers"
            children[name] = children.pop(name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward: who writes a class quantizes in its ``forward``."""
        return super(QuantizedModule, self).forward(*args, **kwargs)  # type: ignore[misc]

    @classmethod
    def implements(cls, module_cls: type[nn.Module]) -> Callable[[_C], _C]:
        """A decorator: the class is the quantized one of ``module_cls``."""

        def registered(quantized: _C) -> _C:
            cls.cls_to_qcls[module_cls] = quantized
            cls.qcls_to_cls[quantized] = module_cls
            return quantized

        return registered

    @classmethod
    def from_module(cls, module: nn.Module) -> Any:
        """The quantized module of a module, on its very parameters.

        Raises:
            NotRegisteredError: a ``RuntimeError``, for a class that has none.
        """
        found = cls.cls_to_qcls.get(type(module))
        if found is None:
            kind = type(module).__name__
            raise NotRegisteredError(
                f"{kind} has no quantized class; register one with "
                f"@QuantizationMixin.implements({kind})"
            )
        # The parent's method asks for the class that is made, which is found's.
        return QuantizedModule.from_module.__func__(found, module)  # type: ignore[attr-defined]

    def original(self) -> nn.Module:
        """The module without quantizers, on the same parameters."""
        made = super().original()
        made.__dict__.pop("_has_kernel", None)
        return made

    def get_original_module(self) -> nn.Module:
        """:meth:`original`, as AIMET calls it."""
        return self.original()

    @classmethod
    def set_default_kernel(cls, kernel: Callable[..., Any] | None) -> None:
        """Let every module of the class compute with ``kernel``, unless it has one of its own.

        It is called in the place of the class's function, with that one's arguments, tensors
        quantized to ``QuantizedTensor``, and ``output_encodings``.
        """
        cls._default_kernel = None if kernel is None else staticmethod(kernel)

    @classmethod
    def get_default_kernel(cls) -> Callable[..., Any] | None:
        """The class's kernel."""
        return cls._default_kernel

    def set_kernel(self, kernel: Callable[..., Any] | None) -> None:
        """Let this module compute with ``kernel``; ``None`` for its own function."""
        self.kernel, self._has_kernel = kernel, True

    def get_kernel(self) -> Callable[..., Any] | None:
        """The kernel that this module computes with: its own, or the class's."""
        return self.kernel if self._has_kernel else self.get_default_kernel()

    @contextlib.contextmanager
    def compute_encodings(self) -> Iterator[None]:
        """Observe what passes, activations unquantized, weights quantized; settle on exit."""
        with compute_encodings(self):  # type: ignore[arg-type]
            yield

    def compute_param_encodings(self) -> None:
        """Encodings for the quantizers of parameters, those that may be overwritten."""
        _observe([(q, w) for q, w in self._parameters_of() if not q._frozen])

    def _compute_param_encodings(self, overwrite: bool) -> None:
        """The same; without ``overwrite`` for those that have none."""
        if overwrite:
            self.compute_param_encodings()
        else:
            self._calibrate_new_weights()

    def _quantize_parameters(self) -> None:
        """Parameters quantized: to plain values, or to ``QuantizedTensor`` for a kernel."""
        super()._quantize_parameters()
        parameters: dict[str, Any] = self._parameters  # type: ignore[attr-defined]
        for name, parameter in parameters.items():
            parameters[name] = self._passed(parameter)

    def _patch_quantized_parameters(self) -> contextlib.AbstractContextManager[None]:
        """For a ``forward`` of one's own: parameters are quantized inside."""
        return self._quantized_parameters()

    def _quantized_inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = super()._quantized_inputs(args, kwargs)
        return self._passed(args), self._passed(kwargs)

    def _quantized_outputs(self, result: Any) -> Any:
        result = super()._quantized_outputs(result)
        return tree_map_only(QuantizedTensorBase, lambda y: y.dequantize(), result)

    def _each(self, quantizers: Any, value: Any, place: int, what: str) -> tuple[Any, int]:
        if isinstance(value, QuantizedTensorBase) and place < len(quantizers):
            # What has an encoding keeps it where there is no quantizer, for a kernel.
            value = value if quantizers[place] is None else _plain(value)
        return super()._each(quantizers, value, place, what)

    def _passed(self, values: Any) -> Any:
        """Quantized tensors as what computes takes them: plain, unless it moves elements alone."""
        moves = self.parent().__name__ in _MOVES
        return values if moves else tree_map_only(QuantizedTensorBase, _plain, values)

    def _remove_input_quantizers(self, indices: Places | None = None) -> Any:
        """Take quantizers of inputs away: for good, or inside a ``with``."""
        return removed_from(self, "input", keys=_listed(indices))

    def _remove_output_quantizers(self, indices: Places | None = None) -> Any:
        """... of outputs."""
        return removed_from(self, "output", keys=_listed(indices))

    def _remove_param_quantizers(self, keys: Places | None = None) -> Any:
        """... of parameters."""
        return removed_from(self, "param", keys=_listed(keys))

    def _remove_activation_quantizers(self) -> Any:
        """... of inputs and outputs."""
        return removed_from(self, "input", "output")

    def _remove_all_quantizers(self) -> Any:
        """... all."""
        return removed_from(self, "input", "output", "param")


class QuantizationMixin(BaseQuantizationMixin):
    """The mixin that a quantized class inherits first."""

    @classmethod
    def wrap(cls, module_cls: type[nn.Module]) -> Any:
        """The quantized class of a class; a new one, of one input and output, if there is none.

        Raises:
            TypeError: for what is no class of modules.
        """
        if not (isinstance(module_cls, type) and issubclass(module_cls, nn.Module)):
            raise TypeError(f"wrap takes a class of modules, not {module_cls!r}")
        if module_cls not in cls.cls_to_qcls:
            name = f"Quantized{module_cls.__name__}"
            made = type(name, (_Whole, module_cls), {"__module__": module_cls.__module__})
            cls.implements(module_cls)(made)
        return cls.cls_to_qcls[module_cls]


class _Whole(QuantizationMixin):
    """... whose inputs, parameters and outputs are quantized by ``forward``."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's forward, on quantized inputs and parameters, its results quantized."""
        args, kwargs = self._quantized_inputs(args, kwargs)
        with self._quantized_parameters():
            result = self._computed(*args, **kwargs)
        return self._quantized_outputs(result)


def _plain(x: Any) -> Any:
    """The values, without their encoding."""
    return (x if x.encoding is None else x.dequantize()).as_subclass(Tensor)


def _listed(keys: Any) -> Any:
    return [keys] if isinstance(keys, int | str) else keys


@contextlib.contextmanager
def compute_encodings(model: nn.Module) -> Iterator[None]:
    """Every quantizer of a model observes what passes, and settles on exit.

    Those of modules pass activations on unquantized; others answer by what each tensor needs.
    """
    activations = {
        quantizer
        for module in model.modules()
        if isinstance(module, QuantizedModule)
        for holder in (module.input_quantizers, module.output_quantizers)
        for quantizer in holder
        if isinstance(quantizer, QuantizerBase)
    }
    with contextlib.ExitStack() as stack:
        for quantizer in activations:
            stack.enter_context(quantizer.passing_through())
        stack.enter_context(_compute_encodings(model))
        yield


def compute_param_encodings(model: nn.Module) -> None:
    """Encodings for all quantizers of parameters, those that may be overwritten."""
    for module in model.modules():
        if isinstance(module, BaseQuantizationMixin):
            module.compute_param_encodings()
