"""Which quantized class belongs to which torch class: ``Quantized<Name>``, and both directions.

Classes are generated from rows, one for each module of ``torch.nn`` and ``harness.nn.functional``;
classes written by hand take their place with :func:`register`.  A module of
``harness.nn.functional`` that has the name of one in torch becomes ``QuantizedAimet<Name>``.  Each
class is also called ``FakeQuantized<Name>``::

    from harness.nn.registry import QUANTIZED, QuantizedLinear

    QUANTIZED[nn.Linear] is QuantizedLinear
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from harness.nn.base import QUANTIZED, QuantizedModule
from harness.nn.functional import MODULES, OPERATIONS

__all__ = ["CLASSES", "QUANTIZED", "ROWS", "Row", "register"]


@dataclass(frozen=True)
class Row:
    """What a generated class is made from.

    Attributes:
        parent: the torch class.
        name: the class's name after ``Quantized``.
        inputs: how many places for input quantizers: enough for each of ``forward``'s parameters
            that can be a float tensor.
        outputs: how many results.
        points: the names of the points inside.
    """

    parent: type[nn.Module]
    name: str
    inputs: int = 1
    outputs: int = 1
    points: tuple[str, ...] = ()


# By the numbers of inputs and outputs.
_TORCH = {
    (1, 1): """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
        AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d
        BatchNorm3d CELU ChannelShuffle ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d
        Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CrossMapLRN2d Dropout Dropout2d
        Dropout3d ELU Embedding FeatureAlphaDropout Flatten Fold FractionalMaxPool2d
        FractionalMaxPool3d GELU GLU GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh Identity
        InstanceNorm1d InstanceNorm2d InstanceNorm3d LPPool1d LPPool2d LayerNorm LeakyReLU Linear
        LocalResponseNorm LogSigmoid LogSoftmax MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d
        MaxUnpool2d MaxUnpool3d Mish PReLU PixelShuffle PixelUnshuffle RReLU ReLU ReLU6
        ReflectionPad1d ReflectionPad2d ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU
        SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh
        Tanhshrink Threshold Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d
        ZeroPad2d
    """,
    (2, 1): """
        BCELoss BCEWithLogitsLoss Bilinear CTCLoss CosineSimilarity CrossEntropyLoss GRUCell
        HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss MSELoss MultiLabelMarginLoss
        MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PairwiseDistance PoissonNLLLoss
        RNNCell SmoothL1Loss SoftMarginLoss
    """,
    (3, 1): """
        CosineEmbeddingLoss EmbeddingBag GaussianNLLLoss MarginRankingLoss TripletMarginLoss
        TripletMarginWithDistanceLoss
    """,
    (2, 2): "AdaptiveLogSoftmaxWithLoss GRU RNN",
    (3, 2): "LSTMCell",
    (3, 3): "LSTM",
}
# Modules that torch has beyond AIMET's table; an older torch lacks some.
_BEYOND = """
    CircularPad1d CircularPad2d CircularPad3d Dropout1d LPPool3d RMSNorm ReflectionPad3d ZeroPad1d
    ZeroPad3d
"""


def _rows() -> Iterator[Row]:
    for (inputs, outputs), names in _TORCH.items():
        for name in names.split():
            yield Row(getattr(nn, name), name, inputs, outputs)
    for name in _BEYOND.split():
        if hasattr(nn, name):
            yield Row(getattr(nn, name), name)
    taken = {name for names in _TORCH.values() for name in names.split()}
    for name, module in MODULES.items():
        operation = OPERATIONS[name]
        own = f"Aimet{name}" if name in taken else name
        yield Row(module, own, operation.inputs, operation.outputs)


def _generated(row: Row) -> type[QuantizedModule]:
    """The class of a row."""
    body = {
        "inputs": row.inputs,
        "outputs": row.outputs,
        "points": row.points,
        "__module__": __name__,
        "__doc__": f"``{row.parent.__module__}.{row.parent.__name__}`` with quantizers.",
    }
    with warnings.catch_warnings():
        # A deprecated class, NLLLoss2d, warns of being inherited; who makes one is warned, too.
        warnings.simplefilter("ignore", FutureWarning)
        return type(f"Quantized{row.name}", (QuantizedModule, row.parent), body)


def register(parent: type[nn.Module], quantized: type[QuantizedModule]) -> None:
    """Make ``quantized`` the quantized class of ``parent``, in the place of a generated one.

    It is found in ``QUANTIZED``, and by its name in this module unless that is the name of another
    parent's class.  To be done before there are modules of the class that it replaces: pickle would
    find the new one in its place.

    Raises:
        TypeError: for a class that is not a quantized one of ``parent``.
    """
    if not issubclass(quantized, QuantizedModule) or quantized.parent() is not parent:
        raise TypeError(f"{quantized.__name__} is no quantized {parent.__name__}")
    QUANTIZED[parent] = quantized
    there = CLASSES.get(quantized.__name__)
    if there is None or there.parent() is parent:
        CLASSES[quantized.__name__] = CLASSES[f"Fake{quantized.__name__}"] = quantized


ROWS: tuple[Row, ...] = tuple(_rows())
CLASSES: dict[str, type[QuantizedModule]] = {}
for _row in ROWS:
    register(_row.parent, _generated(_row))


def __getattr__(name: str) -> Any:
    """The quantized classes by their names; pickle, too, finds them so."""
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *CLASSES])
