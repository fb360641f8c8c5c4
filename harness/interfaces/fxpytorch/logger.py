"""What passes through the layers, by scope and name, as JSON keeps it."""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from harness.nn.logger import ActivationLogger as TensorLogger

__all__ = ["ActivationLogger", "ActivationLoggingScope", "log"]


class ActivationLogger:
    """Entries by ``"scope.scope.name"``, in the order they came; the last one of a name stays.

    Args:
        enabled: whether it logs; ``False`` if left out, as released.
        store_full_tensors: whether values are kept, or shapes and dtypes alone.
        model: whose module names the scopes get; other modules are called by their class.

    Attributes:
        log_data: an entry has ``shape``, ``dtype``, ``device``, ``layer_type`` and ``value``.
    """

    def __init__(
        self,
        enabled: bool = False,
        store_full_tensors: bool = True,
        model: nn.Module | None = None,
    ) -> None:
        self.enabled, self.store_full_tensors = enabled, store_full_tensors
        self.log_data: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._scopes: list[str] = []
        named = model.named_modules() if model is not None else ()
        self._names = {module: name for name, module in named if name}

    def get_module_name(self, module: nn.Module) -> str:
        """The last part of its path in the model, or its class."""
        path: str = self._names.get(module, type(module).__name__)
        return path.rpartition(".")[2]

    def is_enabled(self) -> bool:
        """Whether it logs."""
        return self.enabled

    def enter_scope(self, scope_name: str) -> None:
        """Put a name before those that follow."""
        if self.enabled:
            self._scopes.append(scope_name)

    def exit_scope(self) -> None:
        """Take the last scope away, if there is one."""
        if self.enabled and self._scopes:
            self._scopes.pop()

    def log(
        self, name: str, tensor: Tensor | None, layer_instance: nn.Module | None = None
    ) -> None:
        """Keep a tensor, or that there is none."""
        if not self.enabled:
            return
        kind = "N/A" if layer_instance is None else type(layer_instance).__name__
        entry: dict[str, Any] = {"shape": "N/A", "dtype": "N/A", "device": "N/A"}
        value: Any = None
        if tensor is not None:
            entry = {
                "shape": list(tensor.shape),
                "dtype": str(tensor.dtype),
                "device": str(tensor.device),
            }
            full = self.store_full_tensors
            value = tensor.detach().cpu().tolist() if full else "[Tensor data not stored]"
        self.log_data[".".join([*self._scopes, name])] = {
            **entry,
            "layer_type": kind,
            "value": value,
        }

    def get_log_data(self) -> OrderedDict[str, dict[str, Any]]:
        """What was logged."""
        return self.log_data

    def clear(self) -> None:
        """Forget everything, and leave all scopes."""
        self.log_data, self._scopes = OrderedDict(), []

    def save_to_json(self, path: str | Path, clear: bool = True) -> None:
        """Write what was logged, into folders made for it, and forget it; a warning if nothing was.

        Raises:
            OSError: if it cannot be written; nothing is forgotten then.
        """
        if not self.log_data or not self.enabled:
            warnings.warn(f"nothing was logged, {path} is not written", stacklevel=2)
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(self.log_data, indent=4), encoding="utf-8")
        if clear:
            self.clear()


class ActivationLoggingScope:
    """A scope of a logger while inside: a name, or a module's; without a logger nothing."""

    def __init__(self, logger: Any, scope_key: str | nn.Module) -> None:
        # ``harness.nn``'s own logger has no scopes.
        self.logger = logger if hasattr(logger, "enter_scope") else None
        if self.logger is not None:
            module = isinstance(scope_key, nn.Module)
            self.scope_name = logger.get_module_name(scope_key) if module else scope_key

    def __enter__(self) -> None:
        if self.logger is not None:
            self.logger.enter_scope(self.scope_name)

    def __exit__(self, *error: object) -> None:
        if self.logger is not None:
            self.logger.exit_scope()


def log(logger: Any, layer: nn.Module, **tensors: Tensor | None) -> None:
    """Tell a logger, one of ``harness.nn`` too, several tensors of a layer."""
    if logger is None:
        return
    told = () if isinstance(logger, TensorLogger) else (layer,)
    for name, tensor in tensors.items():
        logger.log(name, tensor, *told)
