"""Where a converted layer's types come from: its quantizers, then the configuration.

The configuration is hls4ml's dictionary; of it the types, strategies, reuse factors and the shape
of the input are read.  What it leaves to hls4ml, ``auto``, is read from the project that hls4ml
wrote::

    {
        "Model": {"Precision": {"default": "fixed<16,6>"}, "Strategy": "Latency"},
        "LayerName": {
            "fc1": {"Precision": {"weight": "fixed<8,1,RND,SAT>", "accum": "fixed<24,10>"}},
        },
    }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.hls.layers.layer import as_type
from harness.names import instead
from harness.nn.quantizers import FixedQuantizer, TypeQuantizer
from harness.types import ApFixed

__all__ = ["Config", "ConversionError", "Precision", "type_of_quantizer"]


#: hls4ml itself adds the last two.
_KEYS = ("Model", "LayerName", "InputShape", "PytorchModel")
#: What hls4ml knows of a layer, or of all of them.
_SETTINGS = (
    *("Precision", "Strategy", "ReuseFactor", "Trace", "TableSize", "Implementation"),
    *("ParallelizationFactor", "ConvImplementation", "Compression", "TargetCycles"),
    *("PipelineStyle", "PipelineInterval", "Static", "RecurrentReuseFactor", "Skip", "ExpRange"),
    *("TableRangePower2", "Algorithm"),
)
_MODEL_SETTINGS = (
    *("BramFactor", "TraceOutput", "ChannelsLastConversion", "TransposeOutputs"),
    *_SETTINGS,
)
#: The types that hls4ml has for layers; for the model ``maximum`` too.
_SLOTS = (
    *("default", "result", "weight", "bias", "accum", "scale", "param", "table"),
    *("exp_table", "inv_table", "inv_inp", "inp_norm", "depthwise", "pointwise", "dw_output"),
    *("recurrent_weight", "recurrent_bias"),
)


class ConversionError(ValueError):
    """What cannot be converted: the module's path, and what is allowed."""


class Config:
    """A configuration in the form of hls4ml's.

    Raises:
        ConversionError: for keys and types that are not understood.
    """

    def __init__(self, config: Mapping[str, Any] | None) -> None:
        facts = dict(config or {})
        self._model = dict(facts.get("Model", {}))
        self._layers = {name: dict(facts.get("LayerName", {})[name]) for name in _names(facts)}
        found = self._model.get("Precision", {})
        self._default = {"default": found} if isinstance(found, str) else dict(found)
        _only("Model", self._model, _MODEL_SETTINGS)
        _only("Model: Precision", self._default, (*_SLOTS, "maximum"))
        for name, entry in self._layers.items():
            _only(name, entry, _SETTINGS)
            if not isinstance(precision := entry.get("Precision", {}), str):
                _only(f"{name}: Precision", precision, _SLOTS)
        self.input_shape = facts.get("InputShape")
        self.used: set[str] = set()
        #: What a project has for layers by name, where their own entries say nothing.
        self.found: Mapping[str, Mapping[str, ApFixed]] = {}

    def precision(self, layer: str, slot: str) -> ApFixed | None:
        """The type of a slot of a layer by name; ``None`` if there is none, or it is ``auto``."""
        self.used.add(layer)
        found = self._layers.get(layer, {}).get("Precision", {})
        spelled = found if isinstance(found, str) else found.get(slot, found.get("default"))
        if spelled in (None, "auto") and slot in self.found.get(layer, {}):
            return self.found[layer][slot]
        if spelled in (None, "auto"):
            spelled = self._default.get(slot, self._default.get("default"))
        if spelled in (None, "auto"):
            return None
        try:
            return as_type(spelled, f"{layer}.{slot}")
        except ValueError as error:
            raise ConversionError(str(error)) from None

    def given(self, layer: str, slot: str) -> bool:
        """Whether a layer's own entry has a type for a slot."""
        found = self._layers.get(layer, {}).get("Precision", {})
        return not isinstance(found, str) and found.get(slot, "auto") != "auto"

    def asks(self) -> str:
        """The first layer and slot that say ``auto``; empty if none does."""
        entries = ((k, v.get("Precision", {})) for k, v in self._layers.items())
        slots = ((k, {"default": v} if isinstance(v, str) else v) for k, v in entries)
        found = (f"{k}.{slot}" for k, v in slots for slot, t in v.items() if t == "auto")
        return next(found, "")

    def fact(self, layer: str, key: str, default: Any) -> Any:
        """Another setting of a layer, or of the whole model."""
        return self._layers.get(layer, {}).get(key, self._model.get(key, default))

    def check_used(self) -> None:
        """Raise ``ConversionError`` for an entry of a layer that there is not."""
        if left := set(self._layers) - self.used:
            known = sorted(self.used - set(self._layers)) or sorted(self.used)
            name = min(left)
            raise ConversionError(f"LayerName has {name}, the model has: {instead(name, known)}")


def _only(where: str, entry: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse keys that nobody reads."""
    if unknown := sorted(set(map(str, entry)) - set(known)):
        allowed = instead(unknown[0], known)
        raise ConversionError(f"{where}: unknown key {unknown[0]!r}; allowed: {allowed}")


def _names(facts: Mapping[str, Any]) -> list[str]:
    _only("the configuration", facts, _KEYS)
    return list(facts.get("LayerName", {}))


class Precision:
    """The types of one layer.

    Args:
        name: the layer's name.
        module: the torch module, quantized or not.
        config: the configuration.
    """

    def __init__(self, name: str, module: Any, config: Config) -> None:
        self.name, self.config = name, config
        self._module = module

    def parameter(self, slot: str) -> ApFixed:
        """The type of a parameter, from its quantizer or else the configuration."""
        quantizers = getattr(self._module, "param_quantizers", {})
        quantizer = dict(quantizers).get(slot)
        if quantizer is None:
            return self.need(slot)
        return self._agreed(slot, type_of_quantizer(quantizer, f"{self.name}.{slot}"))

    def output(self) -> ApFixed | None:
        """The type that the module's own output quantizer has."""
        quantizers = getattr(self._module, "output_quantizers", [None])
        if quantizers[0] is None:
            return None
        found = type_of_quantizer(quantizers[0], f"{self.name}: output")
        return self._agreed("result", found)

    def need(self, slot: str) -> ApFixed:
        """The type that the configuration has for a slot.

        Raises:
            ConversionError: if there is none.
        """
        found = self.config.precision(self.name, slot)
        if found is None:
            raise ConversionError(
                f"{self.name} has no type for {slot}: give the module a FixedQuantizer, or "
                f"config['LayerName']['{self.name}']['Precision']['{slot}']"
            )
        return found

    def find(self, slot: str) -> ApFixed | None:
        """The same, or ``None``."""
        return self.config.precision(self.name, slot)

    def own(self, slot: str) -> ApFixed | None:
        """The type that the layer's own entry has, or its project; not the model's default."""
        known = self.config.given(self.name, slot) or slot in self.config.found.get(self.name, {})
        return self.find(slot) if known else None

    def _agreed(self, slot: str, quantized: ApFixed) -> ApFixed:
        own = self.find(slot) if self.config.given(self.name, slot) else None
        if own is not None and own != quantized:
            raise ConversionError(
                f"{self.name}.{slot} is quantized to {quantized}, the configuration says {own}"
            )
        return quantized


def type_of_quantizer(quantizer: Any, what: str) -> ApFixed:
    """The fixed-point type that a quantizer of ``harness.nn`` quantizes to.

    Raises:
        ConversionError: for one without such a type, or without encodings yet.
    """
    kind = type(quantizer).__name__
    if not isinstance(quantizer, TypeQuantizer) or not isinstance(quantizer.format, ApFixed):
        raise ConversionError(f"{what} is quantized by {kind}; allowed: {FixedQuantizer.__name__}")
    if not quantizer.is_initialized():
        raise ConversionError(f"{what} has no encodings; run data through compute_encodings()")
    try:
        return as_type(quantizer.format, what)
    except ValueError as error:
        raise ConversionError(str(error)) from None
