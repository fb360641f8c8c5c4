"""The state dict of what has facts beside its tensors: they are one more tensor, of JSON's bytes.

So every entry is a plain tensor, which is all that safetensors and exporters take.  A checkpoint
without a key of any quantizer is one of the float model, and leaves all quantizers as they are;
one that has some and lacks others is of another model, and the lacking ones are missing keys.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FACTS", "KeepsFacts"]

#: The key of the facts, beside those of the tensors.
FACTS = "facts"


class KeepsFacts(nn.Module):
    """A module whose ``facts`` are in its state dict."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the tensors do not tell: plain numbers and text."""

    @abstractmethod
    def restore(self, facts: dict[str, Any]) -> None:
        """Take over what :meth:`facts` told."""

    def state(self) -> dict[str, Any]:
        """The facts, and which class they are of."""
        return {"quantizer": type(self).__name__, **self.facts()}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse; ``ValueError`` for the state of another class."""
        if state.get("quantizer") != type(self).__name__:
            kind = state.get("quantizer")
            raise ValueError(f"the state is of {kind}, this is {type(self).__name__}")
        self.restore(state)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        text = json.dumps(self.state()).encode()
        destination[prefix + FACTS] = torch.tensor(list(text), dtype=torch.uint8)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        key = prefix + FACTS
        rest = {k: v for k, v in state_dict.items() if k != key}
        if not any(k.startswith(prefix) for k in state_dict):
            own = [
                k for k, v in (*self._parameters.items(), *self._buffers.items()) if v is not None
            ]
            _absent(missing_keys, [prefix + name for name in (*own, FACTS)])
            return
        _present(missing_keys)
        if key not in state_dict:
            missing_keys.append(key)
        else:
            try:
                self.set_state(_read(state_dict[key]))
            except (KeyError, TypeError, ValueError) as error:
                error_msgs.append(f"{key}: {error}")
                return
        lists = (missing_keys, unexpected_keys, error_msgs)
        super()._load_from_state_dict(rest, prefix, local_metadata, strict, *lists)


def _read(tensor: Tensor) -> dict[str, Any]:
    """The facts that a tensor has."""
    facts = json.loads(bytes(tensor.tolist()))
    if not isinstance(facts, dict):
        raise ValueError("these are no facts of a quantizer")
    return facts


class _Load(threading.local):
    """The ``load_state_dict`` that is going on, which its list of missing keys identifies.

    Torch shows a module its own entries alone, so whether the checkpoint has those of any other is
    known from the modules before and after it.
    """

    missing: list[str] | None = None
    absent: tuple[str, ...] = ()
    quantized = False


_load = _Load()


def _begin(missing: list[str]) -> None:
    if _load.missing is not missing:
        _load.missing, _load.absent, _load.quantized = missing, (), False


def _absent(missing: list[str], keys: list[str]) -> None:
    """A module whose keys are all absent: they are missing if another's are there."""
    _begin(missing)
    if _load.quantized:
        missing.extend(keys)
    else:
        _load.absent += tuple(keys)


def _present(missing: list[str]) -> None:
    """A module that has keys: those absent before it are missing."""
    _begin(missing)
    missing.extend(_load.absent)
    _load.absent, _load.quantized = (), True
