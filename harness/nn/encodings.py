"""Encodings as files: this project's, which holds every quantizer whole, and AIMET's.

AIMET's JSON knows affine encodings; a calibrated ``ApFixed`` is one too, of scale ``2**-F`` and
offset 0, as long as it rounds ``RND_CONV`` and saturates.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import nn

from harness.nn.affine import AffineQuantizer
from harness.nn.base import QuantizedModule
from harness.nn.quantizers import FixedQuantizer, Quantizer, TypeQuantizer
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["as_fixed", "export_aimet", "export_encodings", "import_aimet", "import_encodings"]

VERSION = 1
AIMET_VERSION = "0.6.1"
_PLACES = {"input": "input_quantizers", "output": "output_quantizers"}


def export_encodings(model: nn.Module) -> str:
    """Every quantizer of ``model`` by its path: kind, format, and tensors, as JSON."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, Quantizer):
            tensors = {k: v.tolist() for k, v in module.named_parameters()}
            found[name] = {"state": module.state(), "tensors": tensors}
    return json.dumps({"version": VERSION, "quantizers": found}, indent=1) + "\n"


def import_encodings(model: nn.Module, text: str) -> None:
    """Put encodings back, all or none of them.

    Raises:
        ValueError: for a text that is none, or encodings of another model: which path, and why.
    """
    document = _document(text, "quantizers")
    if document.get("version") != VERSION:
        raise ValueError(f"the encodings have version {document.get('version')}, not {VERSION}")
    found = document["quantizers"]
    mine = {name: m for name, m in model.named_modules() if isinstance(m, Quantizer)}
    _refuse_other_model(set(found), set(mine))
    before = {name: quantizer.state() for name, quantizer in mine.items()}
    read: dict[str, Any] = {}
    try:
        for name, entry in found.items():
            read[name] = _read(mine[name], entry, name)
    except ValueError:
        for name, state in before.items():
            mine[name].set_state(state)
        raise
    with torch.no_grad():
        for name, tensors in read.items():
            for key, tensor in tensors.items():
                getattr(mine[name], key).copy_(tensor)


def _read(quantizer: Quantizer, entry: Any, name: str) -> dict[str, torch.Tensor]:
    """A file's tensors for a quantizer, which has its facts then; ``ValueError`` of another one."""
    try:
        tensors, known = entry["tensors"], dict(quantizer.named_parameters())
        if wrong := set(tensors) ^ set(known):
            raise ValueError(f"the file {'has' if min(wrong) in tensors else 'lacks'} {min(wrong)}")
        read = {key: _tensor_like(known[key], value, key) for key, value in tensors.items()}
        quantizer.set_state(entry["state"])
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name}: the encodings are of another model: {error}") from None
    return read


def _tensor_like(known: Any, value: Any, key: str) -> torch.Tensor:
    """A file's numbers in the shape and dtype of what they replace, if they fit it exactly."""
    given = torch.tensor(value, dtype=torch.float64)
    tensor = given.to(known.dtype)
    if given.shape != known.shape:
        raise ValueError(f"{key} has shape {tuple(given.shape)}, not {tuple(known.shape)}")
    if not torch.equal(tensor.double().nan_to_num(), given.nan_to_num()):
        raise ValueError(f"{key} has numbers that {known.dtype} does not")
    return tensor


def export_aimet(model: nn.Module) -> str:
    """AIMET's JSON of a prepared model: activations by module, parameters by name.

    Raises:
        ValueError: for a quantizer that is no affine encoding, or has none yet.
    """
    activations: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for name, module in model.named_modules():
        if not isinstance(module, QuantizedModule):
            continue
        for slot, attribute in _PLACES.items():
            for k, quantizer in enumerate(getattr(module, attribute)):
                if quantizer is not None:
                    entry = _entries(quantizer, f"{name}.{attribute}.{k}")
                    activations.setdefault(name, {}).setdefault(slot, {})[str(k)] = entry[0]
        for parameter, quantizer in module.param_quantizers.items():
            if quantizer is not None:
                where = f"{name}.{parameter}" if name else parameter
                parameters[where] = _entries(quantizer, where)
    document = {
        "version": AIMET_VERSION,
        "activation_encodings": activations,
        "param_encodings": parameters,
    }
    return json.dumps(document, indent=1) + "\n"


def import_aimet(model: nn.Module, text: str) -> None:
    """Set a prepared model's quantizers from AIMET's JSON; those it has none for stay.

    Raises:
        ValueError: for a text that is none, or a path the model does not have.
    """
    document = _document(text, "activation_encodings", "param_encodings")
    modules = {n: m for n, m in model.named_modules() if isinstance(m, QuantizedModule)}
    actions = []
    for name, slots in document["activation_encodings"].items():
        for slot, entries in slots.items():
            for k, entry in entries.items():
                where = f"{name}.{slot}.{k}"
                if name not in modules or slot not in _PLACES:
                    raise ValueError(f"{where}: the model has no such quantized module")
                places = getattr(modules[name], _PLACES[slot])
                if not k.isdigit() or int(k) >= len(places):
                    raise ValueError(f"{where}: the module has {len(places)} places")
                actions.append((places, int(k), _from_entries([entry], (), where)))
    for where, entries in document["param_encodings"].items():
        name, _, parameter = where.rpartition(".")
        if name not in modules or parameter not in modules[name].param_quantizers:
            raise ValueError(f"{where}: the model has no such quantized parameter")
        tensor = getattr(modules[name], parameter)
        shape = () if len(entries) == 1 else (len(entries), *(1,) * (tensor.dim() - 1))
        actions.append(
            (modules[name].param_quantizers, parameter, _from_entries(entries, shape, where))
        )
    for places, key, quantizer in actions:
        places[key] = quantizer


def _document(text: str, *needed: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        if not all(isinstance(document[key], dict) for key in needed):
            raise ValueError(f"{', '.join(needed)} must be objects")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"this is no file of encodings: {error}") from None
    return document  # type: ignore[no-any-return]


def _refuse_other_model(theirs: set[str], mine: set[str]) -> None:
    for name in sorted(theirs - mine):
        raise ValueError(f"{name}: the file has encodings for it, the model has no quantizer there")
    for name in sorted(mine - theirs):
        raise ValueError(f"{name}: the model has a quantizer there, the file no encodings for it")


def _entries(quantizer: Any, where: str) -> list[dict[str, Any]]:
    if not quantizer.is_initialized():
        raise ValueError(f"{where} has no encodings; run data through compute_encodings()")
    if isinstance(quantizer, TypeQuantizer) and isinstance(quantizer.format, ApFixed):
        t = quantizer.format
        if (t.rounding, t.overflow) != (Rounding.RND_CONV, Overflow.SAT):
            raise ValueError(f"{where}: {t} is no affine encoding, which rounds RND_CONV and SAT")
        return [_entry(t.min_code, t.max_code, float(t.lsb_exact), 0.0, t.signed)]
    if not isinstance(quantizer, AffineQuantizer):
        raise ValueError(f"{where}: {quantizer} is no affine encoding")
    scales, offsets = quantizer.scale.flatten().tolist(), quantizer.whole_offset.flatten().tolist()
    facts = quantizer.qmin, quantizer.qmax
    return [_entry(*facts, s, o, quantizer.symmetric) for s, o in zip(scales, offsets, strict=True)]


def _entry(qmin: int, qmax: int, scale: float, offset: float, symmetric: bool) -> dict[str, Any]:
    return {
        "bitwidth": (qmax - qmin).bit_length(),
        "dtype": "int",
        "is_symmetric": str(symmetric),
        "max": (qmax + offset) * scale,
        "min": (qmin + offset) * scale,
        # AIMET counts integers from 0.
        "offset": int(offset + qmin),
        "scale": scale,
    }


def _from_entries(
    entries: list[dict[str, Any]], shape: tuple[int, ...], where: str
) -> AffineQuantizer:
    try:
        first = entries[0]
        for key, allowed in (("dtype", ("int",)), ("is_symmetric", ("True", "False"))):
            if str(first.get(key, "int")) not in allowed:
                raise ValueError(f"{key} is {first.get(key)!r}, not {' or '.join(allowed)}")
        for key in ("bitwidth", "is_symmetric"):
            if len({str(entry[key]) for entry in entries}) > 1:
                raise ValueError(f"its channels differ in {key}")
        symmetric = str(first["is_symmetric"]) == "True"
        quantizer = AffineQuantizer(shape, int(first["bitwidth"]), symmetric=symmetric)
        offsets = [entry["offset"] - quantizer.qmin for entry in entries]
        scales = [entry["scale"] for entry in entries]
        quantizer.set_encodings(torch.tensor(scales), torch.tensor(offsets))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{where}: is no encoding: {error}") from None
    return quantizer


def as_fixed(quantizer: AffineQuantizer) -> FixedQuantizer:
    """The same quantizer as an ``ApFixed``.

    Raises:
        ValueError: unless it is per tensor, its scale a power of two and its offset 0.
    """
    scale, offset = (
        float(x.detach().abs().max()) for x in (quantizer.scale, quantizer.whole_offset)
    )
    mantissa, exponent = torch.frexp(torch.tensor(scale, dtype=torch.float64))
    if quantizer.scale.numel() != 1 or offset or float(mantissa) != 0.5:
        raise ValueError(f"{quantizer} is no fixed-point type: scale {scale}, offset {offset}")
    signed, width = quantizer.qmin < 0, (quantizer.qmax - quantizer.qmin).bit_length()
    t = ApFixed(width, width + int(exponent) - 1, signed, "RND_CONV", "SAT")
    if (t.min_code, t.max_code) != (quantizer.qmin, quantizer.qmax):
        raise ValueError(f"no type has the codes {quantizer.qmin} to {quantizer.qmax}")
    return FixedQuantizer(t)
