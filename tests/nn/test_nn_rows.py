"""Every row of the registry: its class is its parent, and its quantizers stand around it.

One table says how each module is made and called; all tests run through it.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness import parse_type, quantize
from harness.nn import FixedQuantizer, QuantizedModule, functional, registry
from harness.nn.registry import CLASSES, QUANTIZED, ROWS, Row, register

# torch warns of whoever makes one, and so does what copies one.
pytestmark = pytest.mark.filterwarnings("ignore:.*NLLLoss2d.*deprecated:FutureWarning")

FORMAT = "ap_fixed<10,4,AP_RND_CONV,AP_SAT>"
BATCHES = (2, 1, 3)

# The modules of AIMET's table: those of torch.nn, and its own.
TABLE_TORCH = """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
    AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d
    BatchNorm3d CELU ChannelShuffle ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d
    Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CrossMapLRN2d Dropout Dropout2d
    Dropout3d ELU FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GELU
    GLU GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh Identity InstanceNorm1d
    InstanceNorm2d InstanceNorm3d LPPool1d LPPool2d LayerNorm LeakyReLU Linear LocalResponseNorm
    LogSigmoid LogSoftmax MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish
    PReLU PixelShuffle PixelUnshuffle RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d
    ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU SiLU Sigmoid Softmax Softmax2d
    Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold Unflatten
    Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad2d BCELoss BCEWithLogitsLoss
    Bilinear CTCLoss CosineSimilarity CrossEntropyLoss HingeEmbeddingLoss HuberLoss KLDivLoss
    L1Loss MSELoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss
    NLLLoss2d PairwiseDistance PoissonNLLLoss SmoothL1Loss SoftMarginLoss CosineEmbeddingLoss
    GaussianNLLLoss MarginRankingLoss TripletMarginLoss TripletMarginWithDistanceLoss Embedding
    EmbeddingBag GRU RNN GRUCell RNNCell LSTM LSTMCell AdaptiveLogSoftmaxWithLoss
"""
TABLE_CUSTOM = """
    ChannelShuffle MaxPool2d AdaptiveAvgPool2d AvgPool2d Cast DepthToSpaceDCRMode OneHot
    Exponential Erf Sqrt Log Abs Neg ElementwiseCeil ElementwiseFloor Sin Cos Asin Atan Round
    LogicalNot NonZero ElementwiseUnarySign RSqrt Square Mean Sum Prod Argmin Argmax Gather
    Reshape RoiAlign Permute IndexSelect TopK Tile Norm CumSum Interpolate Normalize Pad Shape
    Expand StridedSlice MatMul Add Multiply Subtract Divide FloorDivide Greater Less
    GreaterEqual LessEqual NotEqual Equal Remainder Fmod Pow CustomSiLU Maximum Max Minimum Min
    Bmm LogicalOr LogicalAnd CustomGather GatherNd Baddbmm Addmm ScatterND DynamicConv2d
    ScatterElements BatchNorm GroupNorm NonMaxSuppression Split Concat Where MaskedFill
"""


@dataclass(frozen=True)
class Case:
    """What a module is made with, what it is called with for a batch, and whether in eval mode."""

    inputs: Callable[[int], tuple[Any, ...]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    training: bool


def case(
    inputs: Callable[[int], tuple[Any, ...]], *args: Any, training: bool = True, **kwargs: Any
) -> Case:
    return Case(inputs, args, kwargs, training)


def cases(names: str, *args: Any, **kwargs: Any) -> dict[str, Case]:
    return dict.fromkeys(names.split(), case(*args, **kwargs))


def x(*shape: int) -> Tensor:
    return torch.randn(shape)


def unit(*shape: int) -> Tensor:
    """Numbers well inside of (0, 1)."""
    return 0.1 + 0.8 * torch.rand(shape)


def sign(*shape: int) -> Tensor:
    return torch.where(torch.rand(shape) < 0.5, -1.0, 1.0)


def ints(high: int, *shape: int) -> Tensor:
    return torch.randint(high, shape)


def vector(n: int) -> tuple[Any, ...]:
    return (x(n, 6),)


def line(n: int) -> tuple[Any, ...]:
    return (x(n, 4, 9),)


def image(n: int) -> tuple[Any, ...]:
    return (x(n, 4, 6, 6),)


def volume(n: int) -> tuple[Any, ...]:
    return (x(n, 4, 4, 4, 4),)


def pair(n: int) -> tuple[Any, ...]:
    return x(n, 4), x(n, 4)


def classes(n: int) -> tuple[Any, ...]:
    return x(n, 5).log_softmax(-1), ints(5, n)


SPACES = {"1d": line, "2d": image, "3d": volume}


def in_spaces(names: str, *args: Any, spaces: str = "1d 2d 3d", **kwargs: Any) -> dict[str, Case]:
    """The same modules in several dimensions."""
    return {
        name + space: case(SPACES[space], *args, **kwargs)
        for name in names.split()
        for space in spaces.split()
    }


CASES: dict[str, Case] = {
    # Element by element.
    **cases(
        """AlphaDropout CELU Dropout ELU Flatten GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh
        Identity LeakyReLU LogSigmoid Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softplus
        Softshrink Softsign Tanh Tanhshrink""",
        vector,
    ),
    **cases("LogSoftmax Softmax Softmin", vector, dim=1),
    **cases("FeatureAlphaDropout Softmax2d", image),
    **in_spaces("Dropout"),
    "Threshold": case(vector, 0.1, 3.0),
    # Pools and pads.
    **in_spaces("AdaptiveAvgPool AdaptiveMaxPool", 3),
    **in_spaces("AvgPool MaxPool", 2),
    **in_spaces("LPPool", 2, 2),
    **cases("FractionalMaxPool2d", image, 2, output_size=3),
    **cases("FractionalMaxPool3d", volume, 2, output_size=2),
    "MaxUnpool1d": case(lambda n: F.max_pool1d(x(n, 2, 8), 2, return_indices=True), 2),
    "MaxUnpool2d": case(lambda n: F.max_pool2d(x(n, 2, 4, 4), 2, return_indices=True), 2),
    "MaxUnpool3d": case(lambda n: F.max_pool3d(x(n, 2, 4, 4, 4), 2, return_indices=True), 2),
    **in_spaces("CircularPad ReflectionPad ReplicationPad ZeroPad", 1),
    **in_spaces("ConstantPad", 1, 0.3),
    # Products of matrices, convolutions.
    "Linear": case(vector, 6, 5),
    "Bilinear": case(lambda n: (x(n, 3), x(n, 4)), 3, 4, 5),
    **in_spaces("Conv ConvTranspose", 4, 2, 3, padding=1),
    "Embedding": case(lambda n: (ints(7, n, 3),), 7, 4),
    "EmbeddingBag": case(lambda n: (ints(7, n, 3), None, x(n, 3)), 7, 4, mode="sum"),
    # Normalizations.
    **in_spaces("BatchNorm", 4),
    **in_spaces("InstanceNorm", 4, affine=True),
    "SyncBatchNorm": case(image, 4, training=False),
    "GroupNorm": case(image, 2, 4),
    "LayerNorm": case(vector, 6),
    "RMSNorm": case(vector, 6),
    "LocalResponseNorm": case(image, 2),
    "CrossMapLRN2d": case(image, 3),
    # Places in images.
    "ChannelShuffle": case(image, 2),
    "PixelShuffle": case(image, 2),
    "PixelUnshuffle": case(image, 2),
    "Fold": case(lambda n: (x(n, 12, 12),), (4, 5), (2, 2)),
    "Unfold": case(image, (2, 2)),
    "Unflatten": case(vector, 1, (2, 3)),
    **cases("Upsample UpsamplingBilinear2d UpsamplingNearest2d", image, scale_factor=2),
    # Recurrent.
    **cases("GRU RNN", lambda n: (x(5, n, 3), x(2, n, 4)), 3, 4, num_layers=2),
    "LSTM": case(lambda n: (x(5, n, 3), (x(2, n, 4), x(2, n, 4))), 3, 4, num_layers=2),
    **cases("GRUCell RNNCell", lambda n: (x(n, 3), x(n, 4)), 3, 4),
    "LSTMCell": case(lambda n: (x(n, 3), (x(n, 4), x(n, 4))), 3, 4),
    # Losses and distances.
    **cases("CosineSimilarity HuberLoss L1Loss MSELoss PairwiseDistance SmoothL1Loss", pair),
    **cases("BCELoss BCEWithLogitsLoss", lambda n: (unit(n, 4), unit(n, 4))),
    **cases("HingeEmbeddingLoss SoftMarginLoss", lambda n: (x(n, 4), sign(n, 4))),
    "KLDivLoss": case(lambda n: (x(n, 4), unit(n, 4)), reduction="batchmean"),
    **cases("CrossEntropyLoss MultiMarginLoss NLLLoss", classes),
    "NLLLoss2d": case(lambda n: (x(n, 5, 3, 3).log_softmax(1), ints(5, n, 3, 3))),
    "MultiLabelMarginLoss": case(lambda n: (x(n, 4), torch.tensor([[3, 0, -1, 1]] * n))),
    "MultiLabelSoftMarginLoss": case(lambda n: (x(n, 4), (sign(n, 4) + 1) / 2)),
    "PoissonNLLLoss": case(lambda n: (x(n, 4), 3 * unit(n, 4))),
    "GaussianNLLLoss": case(lambda n: (x(n, 4), x(n, 4), unit(n, 4))),
    "CosineEmbeddingLoss": case(lambda n: (x(n, 4), x(n, 4), sign(n))),
    "MarginRankingLoss": case(lambda n: (x(n), x(n), sign(n))),
    **cases(
        "TripletMarginLoss TripletMarginWithDistanceLoss",
        lambda n: (x(n, 4), x(n, 4), x(n, 4)),
    ),
    "CTCLoss": case(
        lambda n: (
            x(8, n, 5).log_softmax(-1),
            1 + ints(4, n, 3),
            torch.full((n,), 8),
            torch.full((n,), 3),
        )
    ),
    # The targets 1 and 5 are in different clusters: both get gradients.
    "AdaptiveLogSoftmaxWithLoss": case(lambda n: (x(n, 6), torch.tensor([1, 5, 3])[:n]), 6, 8, [4]),
}

CUSTOM: dict[str, Case] = {
    **cases(
        """Abs Argmax Argmin Atan Cos CustomSiLU ElementwiseCeil ElementwiseFloor
        ElementwiseUnarySign Erf Exponential LogicalNot Max Mean Min Neg NonZero Norm Normalize Prod
        Round Shape Sin Square Sum""",
        vector,
    ),
    **cases("Asin Log RSqrt Sqrt", lambda n: (unit(n, 6),)),
    "Cast": case(vector, torch.float64),
    "OneHot": case(lambda n: (ints(5, n, 3),), 5, -0.3, 0.7),
    **cases(
        """Add Equal Greater GreaterEqual Less LessEqual Maximum Minimum Multiply NotEqual
        Subtract""",
        pair,
    ),
    **cases("Divide FloorDivide Fmod Remainder", lambda n: (x(n, 4), unit(n, 4))),
    "Pow": case(lambda n: (unit(n, 4), x(n, 4))),
    **cases("LogicalAnd LogicalOr", lambda n: (x(n, 4) > 0, x(n, 4) > 0)),
    "Where": case(lambda n: (x(n, 4) > 0, x(n, 4), x(n, 4))),
    "MaskedFill": case(lambda n: (x(n, 4), x(n, 4) > 0, torch.tensor(0.3))),
    "CumSum": case(lambda n: (x(n, 4), 1)),
    "TopK": case(lambda n: (x(n, 6), 2)),
    **cases("Bmm MatMul", lambda n: (x(n, 2, 3), x(n, 3, 2))),
    "Addmm": case(lambda n: (x(n, 2), x(n, 3), x(3, 2))),
    "Baddbmm": case(lambda n: (x(n, 2, 2), x(n, 2, 3), x(n, 3, 2))),
    "DynamicConv2d": case(lambda n: (x(n, 4, 6, 6), x(2, 4, 3, 3), x(2)), padding=1),
    "BatchNorm": case(lambda n: (x(n, 4, 6), x(4), unit(4), x(4), x(4))),
    "GroupNorm": case(lambda n: (x(n, 4, 6), 2, x(4), x(4))),
    **cases("AvgPool2d MaxPool2d", lambda n: (x(n, 4, 6, 6), 2)),
    "AdaptiveAvgPool2d": case(lambda n: (x(n, 4, 6, 6), (2, 3))),
    "Interpolate": case(lambda n: (x(n, 4, 3, 3), None, 2.0)),
    "Pad": case(lambda n: (x(n, 4, 3), (1, 2))),
    "ChannelShuffle": case(image, 2),
    "DepthToSpaceDCRMode": case(image, 2),
    "RoiAlign": case(lambda n: (x(n, 2, 6, 6), 7 * unit(4, 4), ints(n, 4)), (2, 3), 0.5),
    "NonMaxSuppression": case(lambda n: (4 * unit(n, 6, 4), unit(n, 2, 6)), 0.3, 0.3, 3),
    "Reshape": case(lambda n: (x(n, 4), (-1, 2))),
    "Permute": case(lambda n: (x(n, 2, 3), (2, 0, 1))),
    "Tile": case(lambda n: (x(n, 2), (2, 1))),
    "Expand": case(lambda n: (x(n, 1, 3), n, 2, -1)),
    "StridedSlice": case(lambda n: (x(n, 6, 4), [[0, None, 1], [5, None, -2]])),
    "Split": case(lambda n: (x(n, 4), 2, 1)),
    "Concat": case(pair, 1),
    "Gather": case(lambda n: (x(n, 4), 1, ints(4, n, 2))),
    "IndexSelect": case(lambda n: (x(n, 4), 1, torch.tensor([3, 1]))),
    "CustomGather": case(lambda n: (x(n, 4), ints(4, 2, 2), 1)),
    "GatherNd": case(lambda n: (x(n, 3, 4), ints(3, n, 2, 1)), 1),
    "ScatterND": case(lambda n: (x(n, 4, 3), torch.tensor([[0, 2], [0, 1]]), x(2, 3))),
    "ScatterElements": case(lambda n: (x(n, 4), torch.tensor([[3, 0]] * n), x(n, 2)), 1),
}


def is_custom(row: Row) -> bool:
    return row.parent.__module__ == functional.__name__


def case_of(row: Row) -> Case:
    return (CUSTOM if is_custom(row) else CASES)[row.parent.__name__]


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def made(row: Row, kind: type[Any]) -> Any:
    """A module of the row: the parent, or the quantized one; its parameters drawn by chance."""
    how = case_of(row)
    torch.manual_seed(1)
    module = kind(*how.args, **how.kwargs).train(how.training)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-1, 1)
    return module


def quantized(row: Row) -> Any:
    """... with quantizers everywhere."""
    module = made(row, QUANTIZED[row.parent])
    for quantizers in (module.input_quantizers, module.output_quantizers):
        for k in range(len(quantizers)):
            quantizers[k] = FixedQuantizer(FORMAT)
    for name in module.param_quantizers:
        module.param_quantizers[name] = FixedQuantizer(FORMAT)
    return module


def inputs_of(row: Row, n: int) -> tuple[Any, ...]:
    torch.manual_seed(n + 2)
    return case_of(row).inputs(n)


def run(module: nn.Module, inputs: tuple[Any, ...]) -> Any:
    """The result; a module that draws by chance draws the same each time."""
    torch.manual_seed(0)
    return module(*inputs)


def each(value: Any, function: Callable[[Tensor], Any]) -> Any:
    """``value`` with its float tensors passed through ``function``."""
    if isinstance(value, Tensor):
        return function(value) if value.is_floating_point() else value
    if isinstance(value, (tuple, list)):
        return [each(member, function) for member in value]
    return value


def in_format(value: Any) -> Any:
    t = parse_type(FORMAT)
    return each(value, lambda tensor: quantize(tensor.detach(), t))


def tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for member in value:
            yield from tensors(member)


def assert_same(expected: Any, actual: Any) -> None:
    """The same bits, in the same structure."""
    if isinstance(expected, Tensor):
        assert expected.dtype == actual.dtype
        assert expected.shape == actual.shape
        assert expected.detach().numpy().tobytes() == actual.detach().numpy().tobytes()
    elif isinstance(expected, (tuple, list)):
        assert len(expected) == len(actual)
        for one, other in zip(expected, actual, strict=True):
            assert_same(one, other)
    else:
        assert expected == actual


def test_the_rows_hold_the_table() -> None:
    """Every module of AIMET's table has a row, under its name; few others do."""
    custom = {row.parent.__name__ for row in ROWS if is_custom(row)}
    of_torch = {row.parent.__name__ for row in ROWS if not is_custom(row)}
    beyond = """CircularPad1d CircularPad2d CircularPad3d Dropout1d LPPool3d RMSNorm ReflectionPad3d
        ZeroPad1d ZeroPad3d"""
    assert len(TABLE_TORCH.split()) + len(TABLE_CUSTOM.split()) == 206
    assert custom == set(TABLE_CUSTOM.split())
    assert of_torch - set(beyond.split()) == set(TABLE_TORCH.split())


def test_every_row_has_a_case() -> None:
    assert {row.parent.__name__ for row in ROWS if is_custom(row)} == set(CUSTOM)
    of_torch = {row.parent.__name__ for row in ROWS if not is_custom(row)}
    assert of_torch == {name for name in CASES if hasattr(nn, name)}


def test_names_are_distinct_and_have_aliases() -> None:
    """One class for each row, found by both of its names."""
    assert len({row.name for row in ROWS}) == len(ROWS) == len({row.parent for row in ROWS})
    for row in ROWS:
        kind = getattr(registry, f"Quantized{row.name}")
        assert kind is QUANTIZED[row.parent]
        assert kind is getattr(registry, f"FakeQuantized{row.name}")
        assert kind.parent() is row.parent


@pytest.mark.parametrize(
    "name", ["ChannelShuffle", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "GroupNorm"]
)
def test_a_custom_module_with_a_name_of_torch_has_its_own_class(name: str) -> None:
    custom = getattr(functional, name)
    assert QUANTIZED[custom] is CLASSES[f"QuantizedAimet{name}"]
    assert QUANTIZED[getattr(nn, name)] is CLASSES[f"Quantized{name}"]


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'QuantizedNothing'"):
        registry.QuantizedNothing  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        functional.Nothing  # noqa: B018


@every_row
def test_without_quantizers_it_is_the_parent(row: Row) -> None:
    """Bit for bit, with the parent's state, for any batch; and so is what is made from one."""
    parent = made(row, row.parent)
    module = made(row, QUANTIZED[row.parent])
    module.load_state_dict(parent.state_dict(), strict=True)
    converted = QUANTIZED[row.parent].from_module(copy.deepcopy(parent))
    for n in BATCHES:
        expected = run(parent, inputs_of(row, n))
        assert_same(expected, run(module, inputs_of(row, n)))
        assert_same(expected, run(converted, inputs_of(row, n)))
    assert_same(list(parent.state_dict().values()), list(module.state_dict().values()))


@every_row
def test_quantizers_stand_around_the_parent(row: Row) -> None:
    """Inputs and parameters in the format go in, and what comes out is put into the format."""
    parent, module = made(row, row.parent), quantized(row)
    with torch.no_grad():
        for parameter in parent.parameters(recurse=False):
            parameter.copy_(in_format(parameter))
    before = [p.detach().clone() for p in module.parameters()]
    for n in BATCHES:
        inputs = inputs_of(row, n)
        expected = in_format(run(parent, tuple(in_format(value) for value in inputs)))
        assert_same(expected, run(module, inputs))
    assert_same(before, list(module.parameters()))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "Loss" in row.name or row.name == "Mean"], ids=lambda r: r.name
)
def test_a_result_without_axes_is_calibrated(row: Row) -> None:
    """As every other: it passes while observed, and the quantizer then holds it."""
    module = made(row, QUANTIZED[row.parent])
    last = len(module.output_quantizers) - 1
    module.output_quantizers[last] = FixedQuantizer(width=12)
    with module.compute_encodings():
        observed = [*tensors(run(module, inputs_of(row, 2)))][-1].detach()
    assert observed.dim() == 0
    assert_same([*tensors(run(made(row, row.parent), inputs_of(row, 2)))][-1], observed)
    result = [*tensors(run(module, inputs_of(row, 2)))][-1].detach()
    t = module.output_quantizers[last].format
    assert_same(quantize(observed, t), result)
    assert abs(float(result - observed)) <= float(t.lsb_exact) / 2


@every_row
def test_gradients_come_through(row: Row) -> None:
    """Every parameter gets a finite gradient, and the first float input one."""
    module = quantized(row)
    inputs = inputs_of(row, 2)
    first = next((value for value in inputs if torch.is_tensor(value)), None)
    if first is not None and first.is_floating_point():
        first.requires_grad_()
    results = [r for r in tensors(run(module, inputs)) if r.requires_grad]
    assert results or not list(module.parameters())
    if results:
        torch.stack([result.sum() for result in results]).sum().backward()
        assert first is None or not first.requires_grad or first.grad is not None
    for parameter in module.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


@every_row
def test_state_and_copies_compute_the_same(row: Row) -> None:
    """A fresh module with the state, a deep copy and a pickled one."""
    module = quantized(row)
    fresh = quantized(row)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.fill_(0.25)
    fresh.load_state_dict(module.state_dict(), strict=True)
    others = [fresh, copy.deepcopy(module), pickle.loads(pickle.dumps(module))]
    expected = run(module, inputs_of(row, 2))
    for other in others:
        assert type(other) is type(module)
        assert_same(expected, run(other, inputs_of(row, 2)))
    # A copy has parameters of its own, also where a module keeps them twice.
    with torch.no_grad():
        for parameter in others[1].parameters():
            parameter.add_(1)
    assert_same(expected, run(others[2], inputs_of(row, 2)))


@every_row
def test_the_original_comes_back(row: Row) -> None:
    """Without quantizers, in the parent's class, it computes what the parent does."""
    parent = made(row, row.parent)
    original = quantized(row).original()
    assert type(original) is row.parent
    assert list(original.state_dict()) == list(parent.state_dict())
    assert_same(run(parent, inputs_of(row, 2)), run(original, inputs_of(row, 2)))


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_quantized_weights_do_not_stay(name: str) -> None:
    """torch's list of an RNN's weights holds its parameters again after the forward."""
    row = next(row for row in ROWS if row.name == name)
    module = quantized(row)
    run(module, inputs_of(row, 2))
    assert {id(w) for w in module._flat_weights} == {id(w) for w in module.parameters()}


def test_keywords_are_quantized() -> None:
    """An input that is passed by its name meets the quantizer of its place."""
    module = CLASSES["QuantizedAdd"]()
    module.input_quantizers[1] = FixedQuantizer(FORMAT)
    a, b = x(3), x(3)
    assert_same(a + in_format(b), module(a, other=b))
    assert_same(a + 2 * in_format(b), module(a, b, alpha=2))


def test_more_inputs_than_quantizers() -> None:
    """A variadic module takes as many quantizers as it is given, and says if one is missing."""
    module = CLASSES["QuantizedConcat"](axis=0)
    module.input_quantizers[0] = FixedQuantizer(FORMAT)
    with pytest.raises(ValueError, match="QuantizedConcat has 2 input quantizers"):
        module(x(1), x(1), x(1))
    module.input_quantizers.append(None)
    values = x(3).split(1)
    assert_same(torch.cat([in_format(values[0]), *values[1:]]), module(*values))


class Doubled(nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        return 2 * value


class QuantizedDoubled(QuantizedModule, Doubled):
    pass


class Linear(nn.Linear):
    pass


class QuantizedLinear(QuantizedModule, Linear):
    pass


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry, as it is again afterwards."""
    monkeypatch.setattr(registry, "QUANTIZED", QUANTIZED.copy())
    monkeypatch.setattr(registry, "CLASSES", CLASSES.copy())


@pytest.mark.usefixtures("restored")
def test_a_class_is_registered_by_hand() -> None:
    register(Doubled, QuantizedDoubled)
    assert registry.QUANTIZED[Doubled] is QuantizedDoubled
    assert registry.QuantizedDoubled is registry.FakeQuantizedDoubled is QuantizedDoubled


@pytest.mark.usefixtures("restored")
def test_a_registered_class_takes_a_generated_ones_place() -> None:
    by_hand = type("QuantizedReLU", (QuantizedModule, nn.ReLU), {})
    register(nn.ReLU, by_hand)
    assert registry.QUANTIZED[nn.ReLU] is registry.QuantizedReLU is by_hand


@pytest.mark.usefixtures("restored")
def test_a_registered_class_leaves_another_parents_name() -> None:
    register(Linear, QuantizedLinear)
    assert registry.QUANTIZED[Linear] is QuantizedLinear
    assert registry.QuantizedLinear is registry.QUANTIZED[nn.Linear]


def test_a_class_of_another_parent_is_refused() -> None:
    with pytest.raises(TypeError, match="QuantizedDoubled is no quantized Linear"):
        register(nn.Linear, QuantizedDoubled)
    with pytest.raises(TypeError, match="Doubled is no quantized Doubled"):
        register(Doubled, Doubled)
