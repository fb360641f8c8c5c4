"""``QuantizationSimModel``: a model's modules quantized by a configuration."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvTransposeNd

from harness.interfaces.aimet.common.defs import QuantizationDataType, QuantScheme
from harness.interfaces.aimet.nn.base import BaseQuantizationMixin, compute_encodings
from harness.interfaces.aimet.nn.true_quant import Quantized
from harness.interfaces.aimet.quantization.affine.quantizer import QuantizeDequantize
from harness.interfaces.aimet.quantization.base import QuantizerBase
from harness.interfaces.aimet.quantization.encoding_analyzer import PercentileEncodingAnalyzer
from harness.interfaces.aimet.quantization.float import FloatQuantizeDequantize
from harness.interfaces.aimet.quantsim import encodings
from harness.interfaces.aimet.quantsim.config import Config, op_type
from harness.interfaces.aimet.quantsim.graph import Graph, Operation, traced
from harness.interfaces.aimet.utils import in_eval_mode
from harness.nn.model import convert, name_modules

__all__ = ["QuantizationSimModel", "load_encodings_to_sim"]


class QuantizationSimModel:
    """A copy of a model whose modules are quantized.

    Args:
        model: of modules of torch, and of those with a class registered by ``implements``.
        dummy_input: what it is run on once: a tensor, a tuple of arguments, or a dictionary.
        quant_scheme: a ``QuantScheme``, or its short name.
        rounding_mode: ``"nearest"``.
        default_output_bw: bits of activations.
        default_param_bw: bits of parameters.
        in_place: quantize the model itself, not a copy.
        config_file: a path, a dictionary, or ``default`` or ``default_per_channel``.
        default_data_type: integers, or float16.

    Raises:
        RuntimeError: for a model that has quantizers, or a module without a quantized class.
        ValueError: for another rounding mode, or floats of other than 16 bits.
    """

    def __init__(
        self,
        model: nn.Module,
        dummy_input: Any,
        quant_scheme: QuantScheme | str | None = None,
        rounding_mode: str | None = None,
        default_output_bw: int = 8,
        default_param_bw: int = 8,
        in_place: bool = False,
        config_file: str | Path | Mapping[str, Any] | None = None,
        default_data_type: QuantizationDataType = QuantizationDataType.int,
    ) -> None:
        if any(isinstance(each, BaseQuantizationMixin | QuantizerBase) for each in model.modules()):
            raise RuntimeError("the model is quantized already")
        if rounding_mode not in (None, "nearest"):
            raise ValueError(f"rounding_mode is 'nearest', not {rounding_mode!r}")
        scheme = quant_scheme or QuantScheme.post_training_tf_enhanced
        self.scheme = QuantScheme.from_str(scheme) if isinstance(scheme, str) else scheme
        self.config = Config(config_file)
        self.data_type = default_data_type
        self.bits = {"output": default_output_bw, "param": default_param_bw}
        if default_data_type is QuantizationDataType.float and set(self.bits.values()) != {16}:
            raise ValueError(f"floats have 16 bits, not {self.bits}")
        self.model = model if in_place else copy.deepcopy(model)
        self.model = _quantized(self.model)
        operations = {each for _, each in self.named_qmodules() if _is_operation(each)}
        self.graph = traced(self.model, operations, dummy_input)
        self._place_parameters()
        self._place_activations()
        name_modules(self.model)

    def named_qmodules(self) -> Iterator[tuple[str, Any]]:
        """Every quantized module, by path."""
        for name, module in self.model.named_modules():
            if isinstance(module, BaseQuantizationMixin):
                yield name, module

    def qmodules(self) -> Iterator[Any]:
        """Every quantized module."""
        return (module for _, module in self.named_qmodules())

    def named_quantizers(self) -> Iterator[tuple[str, QuantizerBase]]:
        """Every quantizer, by path."""
        for name, module in self.model.named_modules():
            if isinstance(module, QuantizerBase):
                yield name, module

    def quantizers(self) -> Iterator[QuantizerBase]:
        """Every quantizer."""
        return (quantizer for _, quantizer in self.named_quantizers())

    def _quantizer(self, bits: int, symmetric: bool, shape: tuple[int, ...] = ()) -> QuantizerBase:
        if self.data_type is QuantizationDataType.float:
            return FloatQuantizeDequantize(dtype=torch.float16)
        analyzer = self.scheme.analyzer(shape)
        made = QuantizeDequantize(shape, bits, symmetric, encoding_analyzer=analyzer)
        return made.requires_grad_(self.scheme.trains_ranges)

    def _place_parameters(self) -> None:
        """Quantizers for parameters, by their operation and name; none where they are folded."""
        gone = {norm.module for norm in _folded(self.graph).values()}
        for _, module in self.named_qmodules():
            if module in gone:
                continue
            kind = _kind(module)
            for name, parameter in module._parameters.items():
                if parameter is None or not self.config.quantizes_param(kind, name):
                    continue
                shape: tuple[int, ...] = ()
                if self.config.per_channel(kind) and parameter.dim() > 1:
                    axis = int(isinstance(module, _ConvTransposeNd))
                    shape = tuple(n if k == axis else 1 for k, n in enumerate(parameter.shape))
                symmetric = self.config.symmetric_param(kind, name)
                quantizer = self._quantizer(self.bits["param"], symmetric, shape)
                module.param_quantizers[name] = quantizer.to(parameter.device)

    def _place_activations(self) -> None:
        """Quantizers for outputs, but inside of supergroups; and for the model's inputs."""
        inside = {each for chain in self.config.supergroups for each in _inside(self.graph, chain)}
        inside |= set(_folded(self.graph))
        for unused in self.qmodules():
            if _is_operation(unused) and not self.graph.of(unused):
                self._place_outputs(unused)
        for operation in self.graph.operations:
            module: Any = operation.module
            if module is None:
                continue
            output = operation.is_output and self.config.quantizes_model("output")
            if operation not in inside or output:
                self._place_outputs(module, always=output)
            self._place_inputs(module, operation)

    def _place_outputs(self, module: Any, always: bool = False) -> None:
        kind = _kind(module)
        if not always and not self.config.quantizes(kind, "output"):
            return
        for k in range(len(module.output_quantizers)):
            quantizer: Any = self._quantizer(self.bits["output"], self.config.symmetric(kind))
            ends = self.config.fixed_range(kind)
            if ends is not None and isinstance(quantizer, QuantizeDequantize):
                quantizer.set_range(*ends)
                quantizer.requires_grad_(False)
                quantizer.allow_overwrite(False)
            module.output_quantizers[k] = quantizer

    def _place_inputs(self, module: Any, operation: Operation) -> None:
        """For inputs of the model, and for parameters that nobody has quantized."""
        kind, inputs = _kind(module), module.input_quantizers
        quantized = {id(p) for each in self.qmodules() for _, p in each._parameters_of()}
        every = self.config.quantizes(kind, "input")
        from_model = self.config.quantizes_model("input")
        while inputs and len(inputs) < len(operation.inputs):  # as many as Concat was given
            inputs.append(None)
        for k, source in enumerate(operation.inputs[: len(inputs)]):
            parameter = isinstance(source, nn.Parameter) and id(source) not in quantized
            if every or ((source is None or parameter) and from_model):
                inputs[k] = self._quantizer(self.bits["output"], self.config.symmetric(kind))

    def compute_encodings(
        self, forward_pass_callback: Callable[..., Any], forward_pass_callback_args: Any = ...
    ) -> None:
        """Run ``forward_pass_callback(model, args)``, and take every range from what passes.

        Without ``args`` the callback is called with the model alone.
        """
        arguments = () if forward_pass_callback_args is ... else (forward_pass_callback_args,)
        with in_eval_mode(self.model), torch.no_grad(), compute_encodings(self.model):
            forward_pass_callback(self.model, *arguments)

    def set_percentile_value(self, percentile_value: float) -> None:
        """Another percentage, for every quantizer whose range is a percentile."""
        for quantizer in self.quantizers():
            if isinstance(quantizer.encoding_analyzer, PercentileEncodingAnalyzer):
                quantizer.encoding_analyzer.set_percentile(percentile_value)

    def exclude_param_from_quantization(self, param_name_to_exclude: str) -> None:
        """No quantizer for any parameter of this name."""
        for module in self.qmodules():
            if param_name_to_exclude in module.param_quantizers:
                module.param_quantizers[param_name_to_exclude] = None

    def load_encodings(
        self,
        encodings: str | Path | Mapping[str, Any],
        strict: bool = True,
        partial: bool = True,
        requires_grad: bool | None = None,
        allow_overwrite: bool | None = None,
    ) -> None:
        """Take ranges from a file or a document of version 0.6.1, 1.0.0 or 2.0.0.

        Raises:
            RuntimeError: for names that the model has not, and entries that do not fit.
        """
        self._load(
            encodings,
            strict=strict,
            partial=partial,
            requires_grad=requires_grad,
            allow_overwrite=allow_overwrite,
        )

    def _load(self, source: Any, only_parameters: bool = False, **options: Any) -> None:
        entries = encodings.read(source)
        if only_parameters:
            names = {n for n, _, key in encodings.places(self.model) if isinstance(key, int)}
            activation = {n for n in entries if n in names or n.split(".")[-1].isdigit()}
            entries = {n: each for n, each in entries.items() if n not in activation}
        encodings.load(self.model, entries, **options)

    def load_and_freeze_encodings(
        self,
        encoding_path: str | Path | Mapping[str, Any],
        ignore_when_quantizer_disabled: bool = False,
    ) -> None:
        """... and keep them, whatever is observed later."""
        strict = not ignore_when_quantizer_disabled
        self._load(encoding_path, strict=strict, requires_grad=False, allow_overwrite=False)

    def set_and_freeze_param_encodings(self, encoding_path: str | Path | Mapping[str, Any]) -> None:
        """... those of parameters alone."""
        self._load(encoding_path, True, requires_grad=False, allow_overwrite=False)

    def save_encodings_to_json(
        self, path: str | Path, filename_prefix: str, encoding_version: str = "0.6.1"
    ) -> None:
        """Write ``<prefix>.json``, in a version."""
        self._write(Path(path) / f"{filename_prefix}.json", encoding_version)

    def export(
        self,
        path: str | Path,
        filename_prefix: str,
        dummy_input: Any = None,  # noqa: ARG002  # of AIMET, which exports ONNX as well
        encoding_version: str = "0.6.1",
    ) -> None:
        """Write the float model, ``<prefix>.pth``, and its encodings, by torch's names.

        ``<prefix>_torch.encodings`` and ``<prefix>.encodings`` are the same: no ONNX file is
        written, whose names the second would have.
        """
        folder = Path(path)
        torch.save(self.get_original_model(self.model), folder / f"{filename_prefix}.pth")
        for suffix in ("_torch.encodings", ".encodings"):
            self._write(folder / f"{filename_prefix}{suffix}", encoding_version)

    def _write(self, path: Path, version: str) -> None:
        text = json.dumps(encodings.document_of(self.model, version), indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def get_original_model(model: nn.Module, qdq_weights: bool = False) -> nn.Module:
        """A copy of the model without quantizers; its weights quantized, if asked for."""
        plain = copy.deepcopy(model)
        if qdq_weights:
            with torch.no_grad():
                for module in plain.modules():
                    if isinstance(module, BaseQuantizationMixin):
                        for quantizer, parameter in module._parameters_of():
                            parameter.copy_(quantizer(parameter))
        return convert(plain)

    def __str__(self) -> str:
        return f"QuantizationSimModel({self.model})"


def load_encodings_to_sim(
    quant_sim_model: QuantizationSimModel, pytorch_encoding_path: str
) -> None:
    """Take a file's ranges; quantizers that it has none for are taken away."""
    quant_sim_model.load_encodings(pytorch_encoding_path, partial=False)


def _quantized(module: nn.Module, made: dict[nn.Module, nn.Module] | None = None) -> nn.Module:
    """The module with every one that has a quantized class swapped for it."""
    made = {} if made is None else made
    if module in made:
        return made[module]
    found = BaseQuantizationMixin.cls_to_qcls.get(type(module))
    abstract = type(module).forward is nn.Module.forward
    leaf = not list(module.children())
    result = module
    if found is not None or (leaf and not abstract):
        result = BaseQuantizationMixin.from_module(module)
    made[module] = made[result] = result
    if found is None or not issubclass(found, Quantized):
        for name, child in module._modules.items():
            if child is not None:
                result._modules[name] = _quantized(child, made)
    return result


def _is_operation(module: Any) -> bool:
    """Whether a quantized module is seen as a whole: it has no quantized ones below it."""
    below = (each for each in module.modules() if each is not module)
    whole = isinstance(module, Quantized)
    return whole or not any(isinstance(each, BaseQuantizationMixin) for each in below)


def _kind(module: Any) -> str:
    return op_type(module.parent())


def _folded(graph: Graph) -> dict[Operation, Operation]:
    """The batch norm after each operation that it will be folded into."""
    pairs = {}
    for operation in graph.operations:
        if any(_fits(operation, kind) for kind in ("Conv", "ConvTranspose", "Gemm")):
            only = operation.consumers if not operation.is_output else []
            if len(only) == 1 and _fits(only[0], "BatchNormalization"):
                pairs[operation] = only[0]
    return pairs


def _inside(graph: Graph, chain: tuple[str, ...]) -> Iterator[Operation]:
    """The operations of a chain that are not its last; a folded batch norm is part of its own."""
    folded = _folded(graph)
    for start in graph.operations:
        found, last = [start], start
        for kind, following in zip(chain, (*chain[1:], ""), strict=True):
            if not _fits(last, kind):
                break
            if not following:
                yield from found[:-1]
                break
            if last in folded:
                last = folded[last]
                found.append(last)
            if len(last.consumers) != 1 or last.is_output:
                break
            last = last.consumers[0]
            found.append(last)


def _fits(operation: Operation, kind: str) -> bool:
    return operation.module is not None and _kind(operation.module) == kind
