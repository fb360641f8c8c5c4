"""Whole models: swap modules for quantized ones by a configuration, and back; fold batch norms.

A configuration is a dictionary, or a YAML or JSON file of one::

    {
        "default": {"weight": "ap_fixed<8,2,AP_RND_CONV,AP_SAT>"},
        "types": {"ReLU": {"output": {"fixed": {"width": 8}}}},
        "names": {"encoder.*": {"input": {"affine": {"bitwidth": 8, "symmetric": false}}}},
        "skip": ["head"],
    }

A module takes the first that has it, slot by slot: ``names`` (patterns of paths, in their order),
``types``, ``default``.  The slots are ``input``, ``output``, the names of parameters, and those of
points inside, or patterns of names, such as ``weight*``; what matches nothing is refused.  A
quantizer is the spelling of a type, ``{"fixed": {...}}`` or ``{"affine": {...}}`` with the
arguments of its class (``"per_channel": true`` makes an affine one of a parameter's first axis), or
``null``.
"""

from __future__ import annotations

import copy
import fnmatch
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from harness.names import instead
from harness.nn.affine import AffineQuantizer
from harness.nn.base import QuantizedModule
from harness.nn.quantizers import FixedQuantizer, Quantizer, TypeQuantizer
from harness.nn.registry import QUANTIZED
from harness.types import parse_type

__all__ = ["convert", "fold_batch_norms", "name_modules", "prepare", "read_config"]

Config = dict[str, Any]
_KEYS: dict[str, type[Any]] = {"default": dict, "types": dict, "names": dict, "skip": list}
#: What a level of a configuration says of slots, and the modules it is for.
Level = tuple[dict[str, Any], dict[str, QuantizedModule]]


def prepare(model: nn.Module, config: Config | Path | str | None = None) -> nn.Module:
    """``model`` with every module swapped for its quantized class, in place; returns the root.

    Parameters stay the very same, a module that is used twice is swapped for one, and what has no
    quantized class and no children must be skipped.

    Raises:
        ValueError: for a module without a quantized class, by its path, or a configuration that
            names what is not there.
    """
    facts = read_config(config)
    skipped = facts.get("skip", [])
    paths = dict(model.named_modules(remove_duplicate=False))
    for pattern in skipped:
        _refuse_unmatched(pattern, paths)
    made: dict[nn.Module, nn.Module] = {}
    root = _swapped(model, "", skipped, made)
    quantized = {n: m for n, m in root.named_modules() if isinstance(m, QuantizedModule)}
    levels = _levels(facts, paths, quantized)
    for name, module in quantized.items():
        if _matches(name, skipped):
            raise ValueError(f"{name} is part of a layer that is quantized whole: skip that")
        _equip(module, name, _slots(module, [spec for spec, there in levels if name in there]))
    name_modules(root)
    return root


def convert(model: nn.Module) -> nn.Module:
    """``model`` with every quantized module as the torch module it was made from, in place."""
    # By the modules themselves: the number of one that is gone may be given to another.
    made: dict[nn.Module, nn.Module] = {}

    def back(module: Any) -> nn.Module:
        if module not in made:
            quantized = isinstance(module, QuantizedModule)
            result = module.original() if quantized else module
            made[module] = result
            for name, child in result._modules.items():
                if child is not None:  # a module may stand in two places
                    result._modules[name] = back(child)
        return made[module]

    return back(model)


def name_modules(model: nn.Module) -> None:
    """Tell every quantizer and quantized module its path, so that errors name it."""
    for name, module in model.named_modules():
        if isinstance(module, Quantizer | QuantizedModule):
            module.where = name


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """A copy of ``model`` with its batch norms folded into the convolution or linear layer before.

    Those that follow one another in a ``Sequential`` are folded; the batch norm becomes an
    identity.  The results are those of evaluation mode, up to float rounding.

    Raises:
        ValueError: in training mode, where a batch norm has no fixed law.
    """
    if model.training:
        raise ValueError("batch norms fold in evaluation mode; call eval() first")
    folded = copy.deepcopy(model)
    for sequence in folded.modules():
        if not isinstance(sequence, nn.Sequential):
            continue
        names = list(sequence._modules)
        for first, second in itertools.pairwise(names):
            layer, norm = sequence._modules[first], sequence._modules[second]
            fused = _fused(layer, norm)
            if fused is not None:
                sequence._modules[first], sequence._modules[second] = fused, nn.Identity()
    return folded


def _fused(layer: Any, norm: Any) -> nn.Module | None:
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    if not isinstance(norm, norms) or norm.running_mean is None:
        return None
    plain = layer.original() if isinstance(layer, QuantizedModule) else layer
    if isinstance(plain, nn.Linear):
        fused: nn.Module = fuse_linear_bn_eval(plain, norm)
    elif isinstance(plain, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        fused = fuse_conv_bn_eval(plain, norm)
    else:
        return None
    if plain is layer:
        return fused
    for name, parameter in fused.named_parameters(recurse=False):
        layer.register_parameter(name, parameter)
    return layer  # type: ignore[no-any-return]


def read_config(config: Config | Path | str | None) -> Config:
    """A configuration from a dictionary, a JSON or a YAML file.

    Raises:
        ValueError: for another document, or unknown keys: what is wrong, and what is allowed.
    """
    if config is None:
        return {}
    if isinstance(config, Path | str):
        path = Path(config)
        text = path.read_text(encoding="utf-8")
        try:
            config = json.loads(text) if path.suffix == ".json" else _yaml(text)
        except ValueError as error:
            raise ValueError(f"{path} is no configuration: {error}") from None
    if not isinstance(config, dict) or set(config) - set(_KEYS):
        unknown = sorted(set(config) - set(_KEYS)) if isinstance(config, dict) else type(config)
        raise ValueError(f"a configuration has {', '.join(_KEYS)}, not {unknown}")
    for key, kind in _KEYS.items():
        if not isinstance(config.get(key, kind()), kind):
            raise ValueError(f"{key} must be a {kind.__name__}, not {config[key]!r}")
    for key in ("types", "names"):
        for name, spec in config.get(key, {}).items():
            if not isinstance(spec, dict):
                raise ValueError(f"{key} {name!r} must have its slots as a dict, not {spec!r}")
    return config


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _swapped(
    module: nn.Module, path: str, skipped: list[str], made: dict[nn.Module, nn.Module]
) -> nn.Module:
    """The quantized module, or the same one with its children swapped."""
    if module in made:
        return made[module]
    made[module] = module
    if isinstance(module, QuantizedModule | Quantizer) or _matches(path, skipped):
        return module
    if type(module) in QUANTIZED:
        quantized: Any = QUANTIZED[type(module)].from_module(module)
        made[module] = quantized
        return made[module]
    children = list(module.named_children())
    if not children and path:
        kind = type(module).__name__
        raise ValueError(
            f"{path}: {kind} has no quantized class; register one with "
            f"harness.nn.registry.register, or name the path in 'skip'"
        )
    for name in list(module._modules):
        child = module._modules[name]
        if child is not None:
            below = f"{path}.{name}" if path else name
            module._modules[name] = _swapped(child, below, skipped, made)
    return module


def _matches(path: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def _refuse_unmatched(pattern: str, paths: Iterable[str]) -> None:
    names = list(paths)
    if not any(_matches(path, [pattern]) for path in names):
        raise ValueError(
            f"the configuration names {pattern!r}, which the model has not; "
            f"it has {instead(pattern, filter(None, names))}"
        )


def _levels(
    facts: Config, paths: Iterable[str], quantized: dict[str, QuantizedModule]
) -> list[Level]:
    """The levels of a configuration, the first that decides a slot first.

    Raises:
        ValueError: for a path, a type or a slot that no quantized module has.
    """
    found: list[Level] = []
    for pattern, spec in facts.get("names", {}).items():
        _refuse_unmatched(pattern, paths)
        _refuse_unmatched(pattern, quantized)
        there = {n: m for n, m in quantized.items() if _matches(n, [pattern])}
        found.append((_slots_of(pattern, spec, there), there))
    kinds = [module.parent().__name__ for module in quantized.values()]
    for kind, spec in facts.get("types", {}).items():
        if kind not in kinds:
            raise ValueError(
                f"the configuration names the type {kind!r}, of which no module is quantized; "
                f"there are {instead(kind, kinds)}"
            )
        there = {n: m for n, m in quantized.items() if m.parent().__name__ == kind}
        found.append((_slots_of(kind, spec, there), there))
    return [
        *found,
        (_slots_of("default: the model", facts.get("default", {}), quantized), quantized),
    ]


def _known(module: QuantizedModule) -> list[str]:
    """The slots of a module."""
    return ["input", "output", *module.param_quantizers, *module.intermediate_quantizers]


def _slots_of(
    where: str, spec: dict[str, Any], there: dict[str, QuantizedModule]
) -> dict[str, Any]:
    """What a level says, if each of its patterns is a slot of some module there."""
    known = [slot for module in there.values() for slot in _known(module)]
    for pattern in spec:
        if not fnmatch.filter(known, pattern):
            raise ValueError(f"{where} has no {pattern}; it has {instead(pattern, known)}")
    return spec


def _slots(module: QuantizedModule, levels: list[dict[str, Any]]) -> dict[str, Any]:
    """What the configuration says of each slot of a module, by the levels that are for it."""
    found: dict[str, Any] = {}
    for level in reversed(levels):
        for pattern in sorted(level, key=lambda slot: "*" not in slot):  # a name beats a pattern
            found |= dict.fromkeys(fnmatch.filter(_known(module), pattern), level[pattern])
    return {slot: spec for slot, spec in found.items() if spec is not None}


def _equip(module: QuantizedModule, path: str, slots: dict[str, Any]) -> None:
    for slot, spec in slots.items():
        try:
            if slot in ("input", "output"):
                places = module.input_quantizers if slot == "input" else module.output_quantizers
                for k in range(len(places)):
                    places[k] = _quantizer(spec)
            elif slot in module.param_quantizers:
                parameter = getattr(module, slot)
                if parameter is not None:
                    module.param_quantizers[slot] = _quantizer(spec, parameter)
            else:
                module.intermediate_quantizers[slot] = _quantizer(spec)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}.{slot}: {error}") from None


def _quantizer(spec: Any, parameter: Any = None) -> Quantizer:
    if isinstance(spec, str):
        return TypeQuantizer(parse_type(spec))
    if isinstance(spec, dict) and len(spec) == 1:
        ((kind, given),) = spec.items()
        facts = dict(given)
        if kind == "fixed":
            return FixedQuantizer(**facts)
        if kind == "affine":
            if facts.pop("per_channel", False):
                if parameter is None:
                    raise ValueError("per_channel is for parameters")
                facts["shape"] = (parameter.shape[0], *(1,) * (parameter.dim() - 1))
            if "shape" in facts:
                facts["shape"] = tuple(facts["shape"])
            return AffineQuantizer(**facts)
    raise ValueError(f"a quantizer is a type, {{'fixed': ...}} or {{'affine': ...}}, not {spec!r}")
