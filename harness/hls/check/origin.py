"""The model that a project was written from: is every layer of it there?"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.hls.check.frontends import FOLDED
from harness.hls.check.reference import plain_name
from harness.hls.project import Project

__all__ = ["absent", "saved_layers"]

#: Where hls4ml keeps the Keras model that it converted.
SAVED = "keras_model.keras"
#: Classes without weights that only move values, or do nothing to predictions.
_IDLE = ("InputLayer", "Flatten", "Reshape", "Permute", "Dropout", "Activation", "Functional")


def saved_layers(directory: Path) -> list[str]:
    """The layers with weights of the Keras model that a project keeps; none if it keeps none."""
    path = directory / SAVED
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return []
    return [
        str(found["config"]["name"])
        for found in _layers(config.get("config", {}))
        if not any(word in str(found["class_name"]) for word in (*_IDLE, FOLDED))
    ]


def _layers(config: Any) -> Iterator[dict[str, Any]]:
    """The layers of a model, and of models inside of it."""
    for layer in config.get("layers", ()) if isinstance(config, dict) else ():
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict):
            if layer["config"].get("name") and layer.get("class_name"):
                yield layer
            yield from _layers(layer["config"])


def absent(project: Project, layers: Iterable[str]) -> list[str]:
    """Those layers of a model that no call of the project is named after."""
    calls = [plain_name(call.layer) for call in project.top.calls]
    found = []
    for name in layers:
        plain = plain_name(name)
        if not any(call == plain or call.startswith(f"{plain}_") for call in calls):
            found.append(name)
    return found
