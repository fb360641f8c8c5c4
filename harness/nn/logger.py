"""What passes through a model, layer by layer and quantizer by quantizer, to be read later."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["ActivationLogger"]


class ActivationLogger:
    """Tensors by name, in the order they passed.

    Attributes:
        activations: ``"encoder.linear1"`` or, of a quantizer, ``"linear.input_quantizers.0"``, to
            the list of what it gave, a tensor a call; several outputs of a module are numbered,
            ``"lstm.0"``.
    """

    def __init__(self) -> None:
        self.activations: dict[str, list[Tensor]] = {}

    def log(self, name: str, x: Any) -> None:
        """Keep a detached copy of a tensor, or of each tensor in a tuple or list."""
        if isinstance(x, Tensor):
            self.activations.setdefault(name, []).append(x.detach().clone())
        elif isinstance(x, (tuple, list)):
            for k, member in enumerate(x):
                self.log(f"{name}.{k}", member)

    def clear(self) -> None:
        """Forget everything."""
        self.activations.clear()

    @contextlib.contextmanager
    def watch(self, model: nn.Module) -> Iterator[ActivationLogger]:
        """Log what every module of ``model``, quantizers too, gives while inside."""
        handles = [
            module.register_forward_hook(self._hook(name or "model"))
            for name, module in model.named_modules()
        ]
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:  # noqa: ARG001
            self.log(name, output)

        return hook

    def to_json(self) -> str:
        """Every tensor with dtype and shape; values come back bit for bit."""
        document = {
            name: [
                {
                    "dtype": str(x.dtype).removeprefix("torch."),
                    "shape": list(x.shape),
                    "values": x.double().flatten().tolist()
                    if x.is_floating_point()
                    else x.flatten().tolist(),
                }
                for x in tensors
            ]
            for name, tensors in self.activations.items()
        }
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str) -> ActivationLogger:
        """The inverse; ``ValueError`` for other text."""
        made = cls()
        try:
            for name, tensors in json.loads(text).items():
                made.activations[name] = [
                    torch.tensor(x["values"], dtype=getattr(torch, x["dtype"])).reshape(x["shape"])
                    for x in tensors
                ]
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(f"this is no log of activations: {error}") from None
        return made

    def save(self, path: Path | str) -> None:
        """Write the JSON; the file is there whole or not at all."""
        aside = Path(path).with_name(f".{Path(path).name}.new")
        aside.write_text(self.to_json(), encoding="utf-8")
        aside.replace(path)

    @classmethod
    def load(cls, path: Path | str) -> ActivationLogger:
        """Read it."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))
