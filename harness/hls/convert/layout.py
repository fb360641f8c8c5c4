"""Where channels stand: torch has them first, the kernels last; hls4ml turns them in three ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from harness.hls.convert.graph import Call
from harness.hls.convert.precision import Config, ConversionError

__all__ = ["Layout", "turning"]

Shape = tuple[int, ...]
_WAYS = ("full", "internal", "off")


def turning(axes: int, *, last: bool) -> tuple[int, ...]:
    """The permutation of so many axes that moves the channels from first to last, or back."""
    return (*range(1, axes), 0) if last else (axes - 1, *range(axes - 1))


@dataclass(frozen=True)
class Layout:
    """How a model's axes become the hardware's.

    Attributes:
        turned: whether the layers have torch's channels, which are first, last.
        inputs_turned: whether the inputs come with the channels last.
        turns_outputs: whether outputs are given as torch gives them.
    """

    turned: bool
    inputs_turned: bool
    turns_outputs: bool

    @classmethod
    def of(cls, calls: Sequence[Call], config: Config) -> Layout:
        """As the configuration says, or else as the kernels have it.

        Raises:
            ConversionError: for a conversion that hls4ml does not have.
        """
        way = config.fact("", "ChannelsLastConversion", None)
        if way is not None and str(way).lower() not in _WAYS:
            raise ConversionError(f"ChannelsLastConversion is {way}; allowed: {', '.join(_WAYS)}")
        way = way if way is None else str(way).lower()
        steps = (nn.RNNBase, nn.LayerNorm, nn.MultiheadAttention)
        sequences = any(isinstance(c.what, steps) for c in calls)
        images = any(isinstance(c.what, (nn.Conv1d, nn.Conv2d)) for c in calls)
        # hls4ml turns sequences too, and back before each recurrence.
        turned = way != "off" and (images or not sequences)
        inputs_turned = turned if way is None else way == "internal"
        outputs = turned and bool(config.fact("", "TransposeOutputs", False))
        return cls(turned, inputs_turned, outputs)

    @property
    def turns_inputs(self) -> bool:
        """Whether the model begins by turning its inputs."""
        return self.turned != self.inputs_turned

    def port(self, shape: Shape) -> Shape:
        """The shape of an input that torch has in this one."""
        return (*shape[1:], shape[0]) if self.inputs_turned and len(shape) > 1 else shape
