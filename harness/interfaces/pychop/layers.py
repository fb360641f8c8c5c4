"""pychop's layers: torch's, with weights, inputs and outputs rounded by a ``chop``.

``QuantizedLinear(10, 5, chop=ChopSTE(5, 10))`` and its kin take what torch's layer takes and
``chop`` after it, and round in the places of pychop 0.6; without ``chop`` they are torch's own::

    parameters and outputs       Linear, convolutions, Embedding, norms, attention, RNN, LSTM, GRU
    outputs                      pools
    inputs and outputs           activations, Dropout; PReLU its weight, too

Parameters keep their values and their identity: what is rounded is what the forward sees.  One
``chop`` serves all places of a layer, and any number of layers.  ``IQuantizedLinear`` is
``QuantizedLinear``, and so on.

The older document's layers are the same classes, told by ``exp_bits=`` and ``sig_bits=``:
parameters and inputs in that float, batches first, and states rounded at every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from harness.interfaces.pychop.straight import Called, FloatPrecisionSimulator, as_quantizer
from harness.nn import QuantizedModule
from harness.nn.base import QUANTIZED

__all__ = ["CLASSES", "places"]


@dataclass(frozen=True)
class _Row:
    """A layer: how many positional arguments come before ``chop``, and what is rounded."""

    name: str
    arity: int
    places: str


#: Parameters, inputs and outputs by their initials; the number is of the arguments before ``chop``.
_TABLE = """
    Linear 3 po
    Conv1d 9 po             Conv2d 9 po             Conv3d 9 po
    ConvTranspose1d 10 po   ConvTranspose2d 10 po   ConvTranspose3d 10 po
    RNN 8 po                LSTM 7 po               GRU 7 po
    MaxPool1d 6 o           MaxPool2d 6 o           MaxPool3d 6 o
    AvgPool1d 5 o           AvgPool2d 6 o           AvgPool3d 6 o
    AdaptiveAvgPool1d 1 o   AdaptiveAvgPool2d 1 o   AdaptiveAvgPool3d 1 o
    BatchNorm1d 5 po        BatchNorm2d 5 po        BatchNorm3d 5 po
    InstanceNorm1d 5 po     InstanceNorm2d 5 po     InstanceNorm3d 5 po
    LayerNorm 3 po          GroupNorm 4 po          MultiheadAttention 11 po
    ReLU 1 io               LeakyReLU 2 io          PReLU 2 pio
    Sigmoid 0 io            Tanh 0 io               Softmax 1 io
    GELU 1 io               ELU 2 io                SiLU 1 io
    Dropout 1 io            Embedding 7 po
"""

#: The older document's arguments, in its order.
_DOCUMENT = {
    "Linear": "in_features out_features exp_bits sig_bits rmode",
    "MultiheadAttention": "embed_dim num_heads exp_bits sig_bits dropout rmode",
    "LinearNorm": "normalized_shape exp_bits sig_bits eps rmode",
    "Conv2d": "in_channels out_channels kernel_size exp_bits sig_bits stride padding rmode",
    "RNN": "input_size hidden_size exp_bits sig_bits num_layers bias nonlinearity rmode",
    "LSTM": "input_size hidden_size exp_bits sig_bits num_layers bias rmode",
    "GRU": "input_size hidden_size exp_bits sig_bits num_layers bias rmode",
    "BatchNorm2d": "num_features exp_bits sig_bits eps momentum rmode",
}
#: The states that it rounds, and the layers whose outputs it does.
_STATES = {"RNN": ("hidden",), "LSTM": ("hidden", "cell"), "GRU": ("hidden",)}
_ROUNDED_OUTPUTS = ("MultiheadAttention",)
_BATCH_FIRST = ("RNN", "LSTM", "GRU", "MultiheadAttention")
#: Parameters that are no part of a projection.
_UNROUNDED = ("bias_k", "bias_v")


class _Chopped(QuantizedModule):
    """What the layers share: the reading of both kinds of arguments, and the places of ``chop``.

    Attributes:
        row: the layer's line in the table.
        document: the names of the older document's arguments, if it has the layer.
        by_position: whether two integers in the places of ``exp_bits`` and ``sig_bits`` are they.
    """

    row: ClassVar[_Row]
    document: ClassVar[tuple[str, ...]] = ()
    by_position: ClassVar[bool] = True

    def __init__(self, *args: Any, chop: Any = None, **kwargs: Any) -> None:
        names: tuple[str, ...] = ("exp_bits", "sig_bits", "rmode")
        told = {name: kwargs.pop(name) for name in names if name in kwargs}
        if self._as_document(args, told):
            if chop is not None:
                raise ValueError("give chop=, or exp_bits= and sig_bits=, not both")
            self._init_as_document(args, told, kwargs)
            return
        if told:
            where = ", ".join(told)
            raise TypeError(f"{type(self).__name__} has no {where} without exp_bits and sig_bits")
        if len(args) == self.row.arity + 1:
            *args, chop = args  # type: ignore[assignment]
        if self.row.name == "Softmax" and not args:
            kwargs.setdefault("dim", -1)
        super().__init__(*args, **kwargs)
        self._round_by(chop)

    def __setattr__(self, name: str, value: Any) -> None:
        # A module is registered by nn.Module before it looks for a property, so not by one.
        if name == "chop":
            self._round_by(value)
        else:
            super().__setattr__(name, value)

    @property
    def chop(self) -> Any:
        """What rounds the outputs, or ``None``; assigning puts it into all places."""
        quantizer = self.output_quantizers[0]
        return quantizer.simulator if isinstance(quantizer, Called) else quantizer

    def _round_by(self, chop: Any) -> None:
        quantizer = None if chop is None else as_quantizer(chop)
        if "p" in self.row.places:
            _put_on_parameters(self, quantizer)
        if "i" in self.row.places:
            self.input_quantizers[0] = quantizer  # type: ignore[assignment]
        self.output_quantizers[0] = quantizer  # type: ignore[assignment]

    def _as_document(self, args: tuple[Any, ...], told: dict[str, Any]) -> bool:
        """Whether these are arguments of the older document."""
        if not self.document:
            return False
        start = self.document.index("exp_bits")
        bits = args[start : start + 2]
        given = len(bits) == 2 and all(type(n) is int for n in bits) and bits[0] > 1
        return bool({"exp_bits", "sig_bits"} & set(told)) or (self.by_position and given)

    def _init_as_document(
        self, args: tuple[Any, ...], told: dict[str, Any], kwargs: dict[str, Any]
    ) -> None:
        found = dict(zip(self.document, args, strict=False)) | told
        missing = {"exp_bits", "sig_bits"} - set(found)
        if missing:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(sorted(missing))}")
        bits = (found.pop("exp_bits"), found.pop("sig_bits"), found.pop("rmode", 1))
        first = {"batch_first": True} if self.row.name in _BATCH_FIRST else {}
        super().__init__(**found, **kwargs, **first)
        quantizer = FloatPrecisionSimulator(*bits)
        _put_on_parameters(self, quantizer)
        for module in _quantized(self):
            for k in range(len(module.input_quantizers)):
                module.input_quantizers[k] = quantizer
        for state in _STATES.get(self.row.name, ()):
            self.intermediate_quantizers[state] = quantizer
        if self.row.name in _ROUNDED_OUTPUTS:
            self.output_quantizers[0] = FloatPrecisionSimulator(*bits)


def _quantized(module: Any) -> Iterator[QuantizedModule]:
    return (each for each in module.modules() if isinstance(each, QuantizedModule))


def _put_on_parameters(module: Any, quantizer: Any) -> None:
    """Let ``quantizer`` round the parameters of a layer and of the layers inside."""
    for each in _quantized(module):
        for name in list(each.param_quantizers):
            if name not in _UNROUNDED:
                each.param_quantizers[name] = quantizer


class _Fused:
    """A recurrent network that computes with rounded weights in torch's own kernel.

    Only where states are rounded, too, there is a loop over the steps.
    """

    def is_explicit(self) -> bool:
        """Whether a state or a point has a quantizer."""
        points: Any = self.intermediate_quantizers  # type: ignore[attr-defined]
        return any(point is not None for point in points.values())

    def _computed(self, *args: Any, **kwargs: Any) -> Any:
        kept = self._flat_weights
        # torch's forward reads this list, which has the parameters that are rounded just now.
        self._flat_weights = [getattr(self, name) for name in self._flat_weights_names]  # type: ignore[attr-defined]
        try:
            return super()._computed(*args, **kwargs)  # type: ignore[misc]
        finally:
            self._flat_weights = kept

    _flat_weights: list[Any]


def _rows() -> Iterator[_Row]:
    words = _TABLE.split()
    for name, arity, where in zip(words[::3], words[1::3], words[2::3], strict=True):
        yield _Row(name, int(arity), where)


def _class(name: str, row: _Row) -> type[QuantizedModule]:
    """``Quantized<name>``, of the quantized class of the row's torch class."""
    base = QUANTIZED[getattr(nn, row.name)]
    mixins = (_Fused, _Chopped) if row.name in _STATES else (_Chopped,)
    body = {
        "row": row,
        "document": tuple(_DOCUMENT.get(name, "").split()),
        "by_position": name != "Conv2d",  # there the release has integers, too: stride and padding
        "__module__": __name__,
        "__doc__": f"``{row.name}`` rounded by ``chop``.",
    }
    return type(f"Quantized{name}", (*mixins, base), body)


#: The layers by their names, and by their other names.
CLASSES: dict[str, type[QuantizedModule]] = {}
for _row in _rows():
    CLASSES[f"Quantized{_row.name}"] = _class(_row.name, _row)
    if _row.name == "LayerNorm":
        CLASSES["QuantizedLinearNorm"] = _class("LinearNorm", _row)
CLASSES["QuantizedAttention"] = CLASSES["QuantizedMultiheadAttention"]
CLASSES["QuantizedAvgPool"] = CLASSES["QuantizedAvgPool2d"]
CLASSES |= {
    f"I{_name}": _made for _name, _made in CLASSES.items() if _name != "QuantizedLinearNorm"
}


def places(name: str) -> str:
    """What a layer rounds: some of p, i and o, for parameters, inputs and outputs."""
    return CLASSES[name].row.places  # type: ignore[attr-defined,no-any-return]


def __getattr__(name: str) -> type[QuantizedModule]:
    """The layers by their names; pickle, too, finds them so."""
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *CLASSES])
