"""Quantizers as modules: what a layer holds for each of its tensors.

A quantizer passes what is no float tensor through.  While its encodings are computed
(:meth:`Quantizer.compute_encodings`) it observes and passes through; afterwards it quantizes.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.fx import Proxy

from harness.nn.observers import MinMax, Observer
from harness.nn.state import KeepsFacts
from harness.nn.straight_through import fake_quantize
from harness.types import TERNARY, ApFixed, Binary, BinaryFloat, NumberType, as_number_type

__all__ = [
    "BinaryQuantizer",
    "FixedQuantizer",
    "FloatQuantizer",
    "NotInitializedError",
    "Quantizer",
    "TernaryQuantizer",
    "TypeQuantizer",
    "name_of",
]


class NotInitializedError(RuntimeError):
    """A quantizer without encodings was asked to quantize."""


def name_of(module: Any) -> str:
    """How errors name a quantizer or a quantized module: its path, or its class."""
    return module.where or type(module).__name__


class Quantizer(KeepsFacts):
    """What every quantizer has: observation, freezing, and its facts in the state dict.

    Attributes:
        observer: what gathers statistics while encodings are computed.
        where: how errors name it: the path in the model, if ``name_modules`` has told it.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        super().__init__()
        self.observer = observer or MinMax()
        self.where = ""
        self._observing = False
        self._frozen = False

    def forward(self, x: Any) -> Any:
        """``x`` quantized; unchanged if it is no float tensor, or while observing."""
        if not isinstance(x, Tensor):
            if isinstance(x, Proxy):
                raise TypeError(f"{self.name} is no code for torch.fx: trace it as a leaf module")
            return x
        if not x.is_floating_point():
            return x
        if self._observing and not self._frozen:
            try:
                self.observer.observe(x)
            except ValueError as error:
                raise ValueError(f"{self.name}: {error}") from None
            return x
        if not self.is_initialized():
            raise NotInitializedError(
                f"{self.name} has no encodings; "
                "run data through the model inside compute_encodings()"
            )
        return self.quantize(x)

    @property
    def name(self) -> str:
        """How errors name it: its path, or its class."""
        return name_of(self)

    @abstractmethod
    def quantize(self, x: Tensor) -> Tensor:
        """The values of ``x`` in the quantizer's format, with a gradient."""

    def is_initialized(self) -> bool:
        """Whether there are encodings."""
        return True

    def calibrates(self) -> bool:
        """Whether what is observed says anything about the format."""
        return True

    def settle(self) -> None:
        """Take encodings from what was observed; nothing to do where the format is given."""

    def freeze(self) -> None:
        """Keep the encodings as they are, whatever is observed."""
        self._frozen = True

    def unfreeze(self) -> None:
        """Let encodings be computed again."""
        self._frozen = False

    @contextlib.contextmanager
    def compute_encodings(self) -> Iterator[None]:
        """Observe what passes, unquantized; settle on exit, or on an exception leave all as it was.

        A frozen quantizer neither observes nor settles.
        """
        if self._frozen:
            yield
            return
        before, self._observing = self._observing, True
        self.observer.reset()
        try:
            yield
            self._observing = before
            if self.observer.seen:
                try:
                    self.settle()
                except ValueError as error:
                    raise ValueError(f"{self.name}: {error}") from None
        finally:
            self._observing = before
            self.observer.reset()

    def facts(self) -> dict[str, Any]:
        """The format, as the state dict keeps it: plain numbers and text."""
        return {}

    def restore(self, facts: dict[str, Any]) -> None:
        """Take over the format that :meth:`facts` told."""

    def state(self) -> dict[str, Any]:
        """The facts, their class, and whether they are frozen."""
        return {**super().state(), "frozen": self._frozen}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse; ``ValueError`` for the state of another kind of quantizer."""
        super().set_state(state)
        self._frozen = bool(state["frozen"])


class TypeQuantizer(Quantizer):
    """A quantizer to one type, bit for bit ``harness.quantize``.

    Args:
        t: the type, or its spelling.
        rng: a ``torch.Generator``, for a type that rounds by chance.
    """

    kind: Any = object

    def __init__(
        self, t: NumberType | str, rng: Any = None, observer: Observer | None = None
    ) -> None:
        super().__init__(observer)
        self.format: NumberType = self._checked(as_number_type(t) if isinstance(t, str) else t)
        self.rng = rng
        self.straight_through = True

    def _checked(self, t: Any) -> Any:
        if not isinstance(t, self.kind):
            raise TypeError(f"{type(self).__name__} takes no {t}")
        return t

    def quantize(self, x: Tensor) -> Tensor:
        """The values in the type; without ``straight_through`` no gradient passes."""
        return fake_quantize(x if self.straight_through else x.detach(), self.format, self.rng)

    def calibrates(self) -> bool:
        """A given type is what it is."""
        return False

    def facts(self) -> dict[str, Any]:
        """The type's spelling."""
        return {"type": str(self.format)}

    def restore(self, facts: dict[str, Any]) -> None:
        """The type of the spelling."""
        self.format = self._checked(as_number_type(facts["type"]))

    def extra_repr(self) -> str:
        """The type."""
        return str(self.format)


class FixedQuantizer(TypeQuantizer):
    """To an ``ApFixed``; given or, as a width alone, settled by what was observed.

    Args:
        t: the type, its spelling, or ``None`` for one to be calibrated.
        width: the bits of the type to be calibrated.
        signed: ... whether it is signed.
        rounding: ... its rounding.
        overflow: ... its overflow.
    """

    kind = ApFixed

    def __init__(
        self,
        t: ApFixed | str | None = None,
        *,
        width: int | None = None,
        signed: bool = True,
        rounding: str = "RND_CONV",
        overflow: str = "SAT",
        rng: Any = None,
        observer: Observer | None = None,
    ) -> None:
        if (t is None) == (width is None):
            raise ValueError("FixedQuantizer takes a type, or the width of one to be calibrated")
        self.given = t is not None
        start = ApFixed(width, 1, signed, rounding, overflow) if width is not None else t
        super().__init__(start, rng, observer)  # type: ignore[arg-type]
        self._settled = self.given

    def is_initialized(self) -> bool:
        """Whether the type is given, or calibrated."""
        return self._settled

    def calibrates(self) -> bool:
        """Whether a width alone is given."""
        return not self.given

    def settle(self) -> None:
        """The type of the given width that the observer finds best."""
        if not self.given:
            assert isinstance(self.format, ApFixed)
            self.format = self.observer.fixed(self.format)
            self._settled = True

    def facts(self) -> dict[str, Any]:
        """The type, and whether it is there yet."""
        return {**super().facts(), "given": self.given, "settled": self._settled}

    def restore(self, facts: dict[str, Any]) -> None:
        """The type and its state."""
        given, settled = bool(facts["given"]), bool(facts["settled"])
        super().restore(facts)
        self.given, self._settled = given, settled


class FloatQuantizer(TypeQuantizer):
    """To a ``MiniFloat``, an ``IeeeFloat`` or a ``VitisFloat``."""

    kind = BinaryFloat


class BinaryQuantizer(TypeQuantizer):
    """To -1 and 1; ``zero`` says what 0 becomes."""

    kind = Binary

    def __init__(self, zero: int = 1) -> None:
        super().__init__(Binary(zero=zero))


class TernaryQuantizer(TypeQuantizer):
    """To -1, 0 and 1."""

    kind = ApFixed

    def __init__(self) -> None:
        super().__init__(TERNARY)
