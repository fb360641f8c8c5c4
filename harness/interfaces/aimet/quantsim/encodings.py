"""Files of encodings, versions 0.6.1, 1.0.0 and 2.0.0, written and read.

Parameters go by their names, activations by module, side and place.  In 0.6.1 these are nested,
``conv1``, ``output``, ``0``; later versions have one list with names, ``conv1.output.0``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.interfaces.aimet.nn.base import BaseQuantizationMixin
from harness.interfaces.aimet.quantization.affine.grid import signed_range
from harness.interfaces.aimet.quantization.base import QuantizerBase

__all__ = ["VERSIONS", "document_of", "load", "places", "read"]

VERSIONS = ("0.6.1", "1.0.0", "2.0.0")
_SIDES = ("input", "output")


def places(model: nn.Module) -> Iterator[tuple[str, Any, Any]]:
    """Every place of a quantizer by name, with what holds it and the key in that."""
    for name, module in model.named_modules():
        if not isinstance(module, BaseQuantizationMixin):
            continue
        path = f"{name}." if name else ""
        for side in _SIDES:
            holder = getattr(module, f"{side}_quantizers")
            for k in range(len(holder)):
                yield f"{path}{side}.{k}", holder, k
        for parameter in module.param_quantizers:
            yield f"{path}{parameter}", module.param_quantizers, parameter


def document_of(model: nn.Module, version: str = "0.6.1") -> dict[str, Any]:
    """The encodings of every quantizer that has some.

    Raises:
        ValueError: for another version, or an encoding that the version has no words for.
    """
    if version not in VERSIONS:
        raise ValueError(f"encodings have versions {', '.join(VERSIONS)}, not {version}")
    activations: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for name, holder, key in places(model):
        quantizer = holder[key]
        if not isinstance(quantizer, QuantizerBase) or not quantizer.is_initialized():
            continue
        entry = quantizer.get_encoding().to_qnn_encoding_dict(version)
        (activations if isinstance(key, int) else parameters)[name] = entry
    if version == "2.0.0":
        both = {**activations, **parameters}
        entries = [{"name": name, **entry} for name, entry in both.items() if entry]
        return {"version": version, "encodings": entries}
    if version == "1.0.0":
        named = ([{"name": n, **e} for n, e in each.items()] for each in (activations, parameters))
        lists = dict(zip(("activation_encodings", "param_encodings"), named, strict=True))
        return {"version": version, **lists}
    nested: dict[str, Any] = {}
    for name, entry in activations.items():
        module, side, place = _split(name)
        nested.setdefault(module, {}).setdefault(side, {})[place] = entry[0]
    return {
        "version": version,
        "activation_encodings": nested,
        "param_encodings": parameters,
        "excluded_layers": [],
    }


def _split(name: str) -> tuple[str, str, str]:
    rest, _, place = name.rpartition(".")
    module, _, side = rest.rpartition(".")
    return module, side, place


def read(source: str | Path | Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The entries of a file or a document, by the names of :func:`places`, as 0.6.1 has them.

    Raises:
        RuntimeError: for another document.
    """
    document: Any = source
    if isinstance(source, str | Path):
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    version = str(document.get("version", "0.6.1"))
    try:
        if version.startswith("2."):
            return {each["name"]: _from_version_2(each) for each in document["encodings"]}
        parts = [document.get(f"{kind}_encodings", {}) for kind in ("activation", "param")]
        if version.startswith("1."):
            return {each["name"]: _from_version_1(each) for part in parts for each in part}
        nested, parameters = parts
        found = {
            (f"{module}.{side}.{place}" if module else f"{side}.{place}"): [entry]
            for module, sides in nested.items()
            for side, entries in sides.items()
            for place, entry in entries.items()
        }
        return {**found, **parameters}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RuntimeError(f"this is no file of encodings of version {version}: {error}") from None


def _from_version_1(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    if entry["dtype"] == "FLOAT":
        return [{"bitwidth": entry["bw"], "dtype": "float"}]
    if entry["enc_type"] not in ("PER_TENSOR", "PER_CHANNEL", "PER_BLOCK"):
        raise ValueError(f"encodings of {entry['enc_type']} are not read")
    bitwidth, symmetric = int(entry["bw"]), bool(entry["is_sym"])
    # Version 1 counts integers from 0, as 0.6 does.
    return _entries(entry["scale"], entry["offset"], bitwidth, symmetric)


def _from_version_2(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "y_scale" not in entry or isinstance(entry["y_scale"], Mapping):
        raise ValueError(f"{entry['name']} has no y_scale of numbers")
    sign, _, width = str(entry["output_dtype"]).rpartition("int")
    scale = torch.tensor(entry["y_scale"], dtype=torch.float64).flatten()
    zero = torch.tensor(entry.get("y_zero_point") or 0).expand(entry_shape(entry)).flatten()
    lowest, _ = signed_range(int(width), sign != "u")
    symmetric = sign != "u" and not bool(zero.any())
    offsets = (lowest - zero).tolist()
    return _entries(scale.tolist(), offsets, int(width), symmetric)


def entry_shape(entry: Mapping[str, Any]) -> torch.Size:
    """The shape of an entry's scales."""
    return torch.tensor(entry["y_scale"]).shape


def _entries(
    scales: list[float], offsets: list[int], bitwidth: int, symmetric: bool
) -> list[dict[str, Any]]:
    """Entries of 0.6.1, whose offset is that of integers counted from 0."""
    return [
        {
            "min": offset * scale,
            "max": (offset + 2**bitwidth - 1) * scale,
            "scale": scale,
            "offset": offset,
            "bitwidth": bitwidth,
            "dtype": "int",
            "is_symmetric": str(symmetric),
        }
        for scale, offset in zip(scales, offsets, strict=True)
    ]


def load(
    model: nn.Module,
    entries: Mapping[str, list[dict[str, Any]]],
    *,
    strict: bool = True,
    partial: bool = True,
    requires_grad: bool | None = None,
    allow_overwrite: bool | None = None,
) -> None:
    """Give quantizers these entries; those that may not be overwritten stay.

    Args:
        model: of quantized modules.
        entries: as :func:`read` has them.
        strict: whether an entry without a quantizer is an error.
        partial: whether quantizers without an entry stay; else they are taken away.
        requires_grad: of the parameters that are loaded; ``None`` leaves it.
        allow_overwrite: whether what is loaded may be overwritten; ``None`` leaves it.

    Raises:
        RuntimeError: for names that the model has not, and entries that do not fit.
    """
    there = {name: (holder, key) for name, holder, key in places(model)}
    if unknown := sorted(set(entries) - set(there)):
        raise RuntimeError(f"the model has no place {unknown[0]} for an encoding")
    if strict and (empty := [n for n in entries if there[n][0][there[n][1]] is None]):
        raise RuntimeError(f"{empty[0]} has an encoding, and no quantizer")
    for name, (holder, key) in there.items():
        quantizer = holder[key]
        if quantizer is None or quantizer._frozen:
            continue
        if name not in entries:
            if not partial:
                holder[key] = None
            continue
        try:
            quantizer.set_legacy_encodings(entries[name])
        except (KeyError, ValueError) as error:
            raise RuntimeError(f"{name}: the encoding does not fit: {error}") from None
        if requires_grad is not None:
            quantizer.requires_grad_(requires_grad)
        if allow_overwrite is not None:
            quantizer.allow_overwrite(allow_overwrite)
