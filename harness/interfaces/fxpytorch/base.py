"""What the layers share: a forward that quantizes by the configuration, and choices of types."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from harness.interfaces.fxpytorch.calibration import (
    HIGH_PRECISION,
    CalibrationType,
    alike,
    get_high_precision_tensor_quant,
    get_min_mse_tensor_quant,
    get_no_overflow_tensor_quant,
    set_calibrated_activation_quant,
    set_type,
)
from harness.interfaces.fxpytorch.configs import QConfig
from harness.interfaces.fxpytorch.logger import ActivationLoggingScope, log
from harness.interfaces.fxpytorch.types import QType, apply_quantize, quantize

__all__ = [
    "FxPModule",
    "Pass",
    "Transparent",
    "WithParameters",
    "WithParts",
    "alike_parameters",
]


class Transparent:
    """A mixin, before a torch module: a ``logger`` is told ``input`` and ``output``."""

    def forward(self, input: Tensor, logger: Any = None, **ignored: Any) -> Any:  # noqa: A002, ARG002
        """The parent's forward."""
        with ActivationLoggingScope(logger, self):  # type: ignore[arg-type]
            output = super().forward(input)  # type: ignore[misc]
            log(logger, self, input=input, output=output)  # type: ignore[arg-type]
        return output


@dataclass(frozen=True)
class Pass:
    """One forward of one layer: who is told, and what becomes of the types."""

    layer: Any
    logger: Any
    apply_ste: bool
    calibrate: bool
    calibration_type: Any

    @property
    def inside(self) -> dict[str, Any]:
        """What the layers inside are called with."""
        return {
            "logger": self.logger,
            "apply_ste": self.apply_ste,
            "calibrate": self.calibrate,
            "calibration_type": self.calibration_type,
        }

    def activation(self, name: str, x: Tensor, calibrate: bool = True) -> Tensor:
        """``x`` in the type of that name, which is decided first while calibrating."""
        config = self.layer.q_config
        if config is None:
            return x
        if self.calibrate and calibrate:
            set_calibrated_activation_quant(x, getattr(config, name), self.calibration_type)
        return self._applied(name, x)

    def parameter(self, name: str) -> Any:
        """A parameter in its type; ``None`` if there is none."""
        parameter = getattr(self.layer, name)
        return None if parameter is None else self._applied(name, parameter)

    def _applied(self, name: str, x: Tensor) -> Tensor:
        try:
            return apply_quantize(x, getattr(self.layer.q_config, name), self.apply_ste)
        except ValueError as error:
            raise ValueError(f"{type(self.layer).__name__}: {name}: {error}") from None

    def log(self, **tensors: Tensor | None) -> None:
        """Tell them; without a configuration nothing is quantized, and names do not say so."""
        if self.layer.q_config is None:
            tensors = {name.replace("_quant", ""): x for name, x in tensors.items()}
        log(self.logger, self.layer, **tensors)


class FxPModule(Transparent):
    """A mixin, before a torch module: its forward on a grid.

    Arguments are the torch module's, and then ``q_config``, also by position.  It is the layer's
    own afterwards: what decides types changes it, and changes to it count at the next forward.

    Raises:
        TypeError: for the configuration of another layer.
    """

    config: ClassVar[type[QConfig]] = QConfig
    #: The layer inside that each configuration inside is for.
    parts: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls: Any = type(self)
        count = _arguments(cls)
        if len(args) > count:
            kwargs["q_config"], args = args[count], args[:count]
        q_config = kwargs.pop("q_config", None)
        super().__init__(*args, **kwargs)
        self._q_config = self._checked(q_config)

    def _checked(self, q_config: Any) -> Any:
        if q_config is not None and not isinstance(q_config, self.config):
            given = type(q_config).__name__
            raise TypeError(f"{type(self).__name__} takes a {self.config.__name__}, not a {given}")
        return q_config

    @property
    def q_config(self) -> Any:
        """The configuration, or ``None``."""
        return self._q_config

    @q_config.setter
    def q_config(self, new: QConfig) -> None:
        """The first one is taken as it is; of later ones the types, so that it stays the object."""
        if new is None:
            raise TypeError(f"q_config is a {self.config.__name__}; make a layer without one")
        self._checked(new)
        if self._q_config is None:
            self._q_config = new
        else:
            for name in type(new).model_fields:
                if isinstance(getattr(new, name), QType):
                    setattr(self._q_config, name, getattr(new, name))
        for field, part in self.parts.items():
            getattr(self, part).q_config = getattr(new, field)

    def get_q_config(self) -> Any:
        """``q_config``."""
        return self._q_config

    def forward(  # type: ignore[override]
        self,
        input: Tensor,  # noqa: A002 - as torch calls it
        logger: Any = None,
        apply_ste: bool = True,
        calibrate: bool = False,
        calibration_type: str | CalibrationType = CalibrationType.NO_OVERFLOW,
    ) -> Any:
        """The layer on its grid.

        Args:
            input: what the parent takes.
            logger: an ``ActivationLogger``, told every tensor before and after its type.
            apply_ste: whether gradients pass the types, straight through; else they are 0.
            calibrate: whether types of activations that are not floats are decided anew first.
            calibration_type: ``"no_overflow"`` or ``"min_mse"``.

        Raises:
            ValueError: while a type is open.
        """
        if self._q_config is None:
            return super().forward(input, logger)
        how = Pass(self, logger, apply_ste, calibrate, calibration_type)
        with ActivationLoggingScope(logger, self):  # type: ignore[arg-type]
            return self.on_grid(how, input)

    def on_grid(self, how: Pass, input: Tensor) -> Tensor:  # noqa: A002
        """The parent's forward between the types of ``input`` and ``activation``."""
        x = how.activation("input", input)
        before = super(Transparent, self).forward(x)  # type: ignore[misc]
        output = how.activation("activation", before)
        how.log(input=input, input_quant=x, output_pre_quant=before, output=output)
        return output


@functools.cache
def _arguments(cls: type) -> int:
    """How many arguments the torch module of a class takes by position."""
    parents = [base for base in cls.__mro__ if base.__module__.startswith("torch.")]
    found = inspect.signature(parents[0]).parameters.values()
    return sum(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in found)


class WithParameters(FxPModule):
    """... that has a weight and a bias, either of which may be ``None``.

    ``set_..._w_quant`` and ``set_..._b_quant`` decide the types of one of them.
    """

    def quantize_weights_bias(self) -> None:
        """Put the parameters onto their grids for good; ``ValueError`` while a type is open."""
        with torch.no_grad():
            for name in ("weight", "bias"):
                parameter = getattr(self, name)
                if parameter is not None:
                    parameter.copy_(quantize(parameter, getattr(self.q_config, name)))

    def _set(self, name: str, decide: Callable[[Tensor, QType], QType], even_floats: bool) -> None:
        parameter, q_type = getattr(self, name), getattr(self.q_config, name)
        if parameter is not None and (even_floats or not q_type.is_float()):
            set_type(q_type, decide(parameter, q_type))

    def set_high_precision_w_quant(self, fractional_bits: int = HIGH_PRECISION) -> None:
        """:meth:`set_high_precision_quant` of the weight."""
        self._set("weight", lambda x, _: get_high_precision_tensor_quant(x, fractional_bits), True)

    def set_high_precision_b_quant(self, fractional_bits: int = HIGH_PRECISION) -> None:
        """... of the bias."""
        self._set("bias", lambda x, _: get_high_precision_tensor_quant(x, fractional_bits), True)

    def set_high_precision_quant(
        self, same_wb: bool = False, *, fractional_bits: int = HIGH_PRECISION
    ) -> None:
        """``fractional_bits``, and as many bits before the point as each parameter needs.

        With ``same_wb`` weight and bias get one type.
        """
        self.set_high_precision_w_quant(fractional_bits)
        self.set_high_precision_b_quant(fractional_bits)
        self._same(same_wb)

    def set_no_overflow_w_quant(self) -> None:
        """:meth:`set_no_overflow_quant` of the weight."""
        self._set("weight", get_no_overflow_tensor_quant, False)

    def set_no_overflow_b_quant(self) -> None:
        """... of the bias."""
        self._set("bias", get_no_overflow_tensor_quant, False)

    def set_no_overflow_quant(self, same_wb: bool = False) -> None:
        """As many fractional bits as the total ones leave without overflow; floats stay floats."""
        self.set_no_overflow_w_quant()
        self.set_no_overflow_b_quant()
        self._same(same_wb)

    def set_min_mse_w_quant(self, depth: int = 10) -> None:
        """:meth:`set_min_mse_quant` of the weight."""
        self._set("weight", functools.partial(get_min_mse_tensor_quant, depth=depth), False)

    def set_min_mse_b_quant(self, depth: int = 10) -> None:
        """... of the bias."""
        self._set("bias", functools.partial(get_min_mse_tensor_quant, depth=depth), False)

    def set_min_mse_quant(self, depth: int = 10) -> None:
        """The fractional bits with the least mean squared error; floats stay floats."""
        self.set_min_mse_w_quant(depth)
        self.set_min_mse_b_quant(depth)

    def _same(self, same_wb: bool) -> None:
        if same_wb and self.bias is not None:  # type: ignore[attr-defined]
            alike(self.q_config.weight, self.q_config.bias)


class WithParts(FxPModule):
    """... that is made of layers, and decides their types through them."""

    def _layers(self) -> Iterator[Any]:
        """The layers inside that have parameters."""
        found = (getattr(self, part) for part in self.parts.values())
        return (part for part in found if isinstance(part, WithParameters | WithParts))

    def quantize_weights_bias(self) -> None:
        """Put every parameter onto its grid for good."""
        for layer in self._layers():
            layer.quantize_weights_bias()

    def set_min_mse_quant(self, depth: int = 10) -> None:
        """The fractional bits with the least mean squared error, for each parameter."""
        for layer in self._layers():
            layer.set_min_mse_quant(depth)


def alike_parameters(*layers: nn.Module) -> None:
    """One type for the weights of several layers, and one for their biases."""
    configs: list[Any] = [layer.q_config for layer in layers]
    alike(*(config.weight for config in configs))
    biased = [c for c, layer in zip(configs, layers, strict=True) if layer.bias is not None]
    alike(*(config.bias for config in biased))
