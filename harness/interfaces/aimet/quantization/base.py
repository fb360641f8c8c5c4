"""What AIMET's quantizers and encodings have in common."""

from __future__ import annotations

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.quantizers import Quantizer

__all__ = ["EncodingBase", "QuantizerBase"]

#: The key of AIMET's state dict that says which parameters were ever set.
_EXTRA = "_extra_state"


class EncodingBase(ABC):
    """What a tensor was quantized with.

    Attributes:
        mapping: ``"affine"`` or ``"float"``.
    """

    mapping: str
    #: The names of its tensors, which move and detach with it.
    _tensors: tuple[str, ...] = ()

    @abstractmethod
    def quantize(self, input: Tensor) -> Tensor:
        """The integers of a tensor."""

    @abstractmethod
    def dequantize(self, input: Tensor) -> Tensor:
        """The values of integers."""

    @property
    @abstractmethod
    def bitwidth(self) -> int:
        """The width of a code."""

    @property
    def granularity(self) -> str:
        """``pertensor``, ``perchannel``, ``blockwise`` or ``unknown``, by the encoding's shape."""
        shape = getattr(self, self._tensors[0]).shape
        if len(shape) == 0:
            return "pertensor"
        if getattr(self, "block_size", None) is not None:
            return "blockwise"
        return "perchannel" if sum(n > 1 for n in shape) <= 1 else "unknown"

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The encoding on another device or in another float dtype; itself if it is there.

        Raises:
            RuntimeError: for a dtype that is no float.
        """
        first = getattr(self, self._tensors[0])
        # What torch itself makes of its arguments.
        device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise RuntimeError(f"an encoding has a float dtype, not {dtype}")
        if dtype in (None, first.dtype) and device in (None, first.device):
            return self
        return self._mapped(lambda tensor: tensor.to(device=device, dtype=dtype))

    def _clone(self) -> Any:
        return self._mapped(lambda tensor: tensor.clone())

    def _detach(self) -> Any:
        return self._mapped(lambda tensor: tensor.detach())

    def _mapped(self, function: Any) -> Any:
        made = copy.copy(self)
        for name in self._tensors:
            tensor = getattr(self, name)
            setattr(made, f"_{name}", tensor if tensor is None else function(tensor))
        return made


class QuantizerBase(Quantizer):
    """A quantizer of AIMET's: its parameters by name, and whether each was ever set.

    The state dict is AIMET's: the parameters, and which of them were set.  Inside
    :meth:`compute_encodings` the quantizer answers by the range of what it is given; inside that
    of a module it passes what it is given through.
    """

    encoding_analyzer: Any

    def __init__(self) -> None:
        super().__init__()
        #: The version of each parameter that was never set; a parameter put in its place is set.
        self._untouched: dict[str, tuple[Tensor, int]] = {}
        self._passes = False

    @contextlib.contextmanager
    def _gathering(self) -> Iterator[None]:
        """The analyzer gathers what passes, from nothing on, until the end or an error."""
        before, self._observing = self._observing, True
        self.encoding_analyzer.reset_stats()
        try:
            yield
        finally:
            self._observing = before

    def register_quantization_parameter(self, name: str, param: nn.Parameter) -> None:
        """A parameter that counts as not set until something writes to it or replaces it."""
        self.register_parameter(name, param)
        self._untouched[name] = (param, param._version)

    def is_initialized(self) -> bool:
        """Whether every parameter was set."""
        return all(self._is_set(name) for name, _ in self.named_parameters())

    def _is_set(self, name: str) -> bool:
        if name not in self._untouched:
            return True
        start, version = self._untouched[name]
        now = self._parameters[name]
        found = now is not start or start._version != version
        # For good, as a graph of torch.compile knows no versions; but not what stands there for
        # one tensor while encodings are computed.
        if found and isinstance(now, nn.Parameter):
            del self._untouched[name]
        return found

    @property
    def _allow_overwrite(self) -> bool:
        return not self._frozen

    def allow_overwrite(self, mode: bool) -> None:
        """Whether :meth:`compute_encodings` and loaded encodings may replace those there are."""
        self._frozen = not mode

    def is_overwrite_allowed(self) -> bool:
        """What :meth:`allow_overwrite` has said last."""
        return not self._frozen

    @abstractmethod
    def get_encoding(self) -> Any:
        """The encoding, or ``None`` while there is none."""

    def get_encodings(self) -> Any:
        """:meth:`get_encoding`, as later versions call it."""
        return self.get_encoding()

    @abstractmethod
    def get_legacy_encodings(self) -> list[dict[str, Any]] | None:
        """The entries of AIMET's files of version 0.6, one for each channel."""

    @abstractmethod
    def set_legacy_encodings(self, encodings: list[dict[str, Any]]) -> None:
        """Take over such entries."""

    @contextlib.contextmanager
    def passing_through(self) -> Iterator[None]:
        """Pass activations on unquantized while encodings are computed."""
        before, self._passes = self._passes, True
        try:
            yield
        finally:
            self._passes = before

    def facts(self) -> dict[str, Any]:
        """Which parameters were set."""
        return {"set": {name: self._is_set(name) for name in self._parameters}}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        self.set_extra_state(facts["set"])

    def get_extra_state(self) -> dict[str, Tensor]:
        """Which parameters were set, as the state dict has it."""
        return {name: torch.tensor(self._is_set(name)) for name in self._parameters}

    def set_extra_state(self, state: Any) -> None:
        """Take over which parameters were set."""
        for name, parameter in self._parameters.items():
            if parameter is None or name not in state:
                continue
            if bool(state[name]):
                self._untouched.pop(name, None)
            else:
                self._untouched[name] = (parameter, parameter._version)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        nn.Module._save_to_state_dict(self, destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # A file of parameters alone, and one of the float model, say nothing of what was set.
        if prefix + _EXTRA not in state_dict:
            there = {name: prefix + name in state_dict for name in self._parameters}
            kept = {name: there[name] or self._is_set(name) for name in there}
            state_dict = {**state_dict, prefix + _EXTRA: kept}
        nn.Module._load_from_state_dict(self, state_dict, prefix, *rest)

    def __deepcopy__(self, memo: Any) -> Any:
        made = self.__new__(type(self))
        memo[id(self)] = made
        state = {k: v for k, v in self.__dict__.items() if k != "_untouched"}
        made.__dict__.update(copy.deepcopy(state, memo))
        made._untouched = {}
        made.set_extra_state(self.get_extra_state())
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_untouched": self.get_extra_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "_untouched": {}})  # type: ignore[no-untyped-call]
        self.set_extra_state(state["_untouched"])
