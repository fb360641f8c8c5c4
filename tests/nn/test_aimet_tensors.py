"""AIMET's analyzers, encodings, and tensors that know their encoding."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

import harness.interfaces.aimet.quantization as Q  # noqa: N812  # as its document has it
from harness.interfaces.aimet.quantization.encoding_analyzer import (
    CalibrationStrategy,
    MinMaxEncodingAnalyzer,
    PercentileEncodingAnalyzer,
    SqnrEncodingAnalyzer,
    StatisticsNotFoundError,
)
from harness.interfaces.aimet.utils import reduce
from harness.nn.affine import EPS

AffineEncoding = Q.affine.AffineEncoding


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_ends_by_hand() -> None:
    """0 is in the range; symmetric ones have as many steps below as above, or one more."""
    analyzer = MinMaxEncodingAnalyzer(())
    analyzer.update_stats(torch.tensor([1.0, 9.0]))
    analyzer.update_stats(torch.tensor([-2.0, 3.0]))
    assert [end.item() for end in analyzer.compute_encodings(7, False)] == [-2, 9]
    assert [end.item() for end in analyzer.compute_encodings(7, True)] == [-12, 9]
    assert [end.item() for end in analyzer.compute_encodings(6, True)] == [-9, 9]
    analyzer.reset_stats()
    with pytest.raises(StatisticsNotFoundError, match="nothing was seen"):
        analyzer.compute_encodings(7, False)
    analyzer.update_stats(torch.zeros(3))
    assert [end.item() for end in analyzer.compute_encodings(255, False)] == [0, 255 * EPS]
    with pytest.raises(ValueError, match="1 step or more"):
        analyzer.compute_encodings(0, False)


def test_histograms_widen() -> None:
    """Counts go to the bins that hold them, and none is lost."""
    analyzer = PercentileEncodingAnalyzer((), num_bins=3, percentile=99)
    analyzer.update_stats(torch.tensor([2.0, 3.5, 4.2, 5.0]))
    (seen,) = analyzer.observer.stats
    assert seen.histogram.tolist() == [1, 1, 2]
    assert seen.bin_edges.tolist() == [2, 3, 4, 5]
    analyzer.update_stats(torch.tensor([5.3, 6.4, 7.0, 8.0]))
    (seen,) = analyzer.observer.stats
    assert seen.histogram.tolist() == [2, 3, 3]
    assert seen.bin_edges.tolist() == [2, 4, 6, 8]
    analyzer.update_stats(torch.tensor([torch.inf, -torch.inf, 4.0]))
    (seen,) = analyzer.observer.stats
    assert seen.histogram.tolist() == [3, 4, 4]
    with pytest.raises(ValueError, match="finite"):
        analyzer.update_stats(torch.tensor([torch.inf]))


def test_each_channel_has_its_own_histogram() -> None:
    """Also when it widens, and whichever axis the channels are."""
    for shape, axis in (((3, 1), 0), ((3,), 1)):
        analyzer = PercentileEncodingAnalyzer(shape, num_bins=4)
        x = torch.randn(3, 50) * torch.tensor([[1.0], [10.0], [100.0]])
        for batch in (x, 2 * x):
            analyzer.update_stats(batch if axis == 0 else batch.T)
        low, high = analyzer.compute_encodings(15, False)
        assert low.shape == shape
        assert torch.allclose(low.flatten(), 2 * x.amin(1))
        assert torch.allclose(high.flatten(), 2 * x.amax(1))
        counts = torch.stack([each.histogram for each in analyzer.observer.stats])
        assert counts.sum(1).tolist() == [100, 100, 100]


def test_percentiles() -> None:
    """A percentage lies below the upper end."""
    x = torch.arange(1001.0)
    for percentile, end in ((99, 990.0), (50, 500.0), (100, 1000.0)):
        analyzer = PercentileEncodingAnalyzer((), 500, percentile)
        analyzer.update_stats(x)
        assert analyzer.compute_encodings(255, False)[1].item() == end
    with pytest.raises(ValueError, match="from 50 to 100, not 49"):
        analyzer.set_percentile(49)


def test_least_noise_beats_the_ends() -> None:
    """With an outlier: the squared error of the found range is far below that of the whole one."""
    x = torch.cat([torch.rand(20000), torch.tensor([8.0])])
    errors = {}
    for analyzer in (SqnrEncodingAnalyzer((), gamma=1.0), MinMaxEncodingAnalyzer(())):
        quantizer = Q.affine.QuantizeDequantize((), 4, False, analyzer)
        with quantizer.compute_encodings():
            quantizer(x)
        errors[type(analyzer).__name__] = float(((quantizer(x) - x) ** 2).mean().detach())
    assert errors["SqnrEncodingAnalyzer"] < 0.4 * errors["MinMaxEncodingAnalyzer"]


def test_strategies_have_names() -> None:
    """The three analyzers, made for a shape."""
    kinds = {each.name: type(each.analyzer((2, 1))) for each in CalibrationStrategy}
    assert kinds == {
        "MINMAX": MinMaxEncodingAnalyzer,
        "PERCENTILE": PercentileEncodingAnalyzer,
        "SQNR": SqnrEncodingAnalyzer,
    }


def test_extremes_warn() -> None:
    """Ends near the dtype's largest number, and infinite ones."""
    quantizer = Q.affine.QuantizeDequantize((), 8, True)
    with pytest.warns(UserWarning, match="Extreme values"), quantizer.compute_encodings():
        quantizer(torch.tensor([torch.finfo(torch.float32).max]))


@pytest.mark.parametrize("shape", [(), (4,), (3, 1), (2, 1, 1), (1, 3, 4)])
def test_reduce(shape: tuple[int, ...]) -> None:
    """Axes where the shape has 1, and those that it lacks, are gone."""
    x = torch.randn(2, 3, 4)
    wide = (1,) * (3 - len(shape)) + shape
    axes = [k for k, n in enumerate(wide) if n == 1]
    expected = x.amax(axes).reshape(shape) if axes else x
    assert torch.equal(reduce(x, shape, torch.max).values, expected)


def test_encodings() -> None:
    """Ends, dtype and granularity; the files' entries."""
    encoding = AffineEncoding(torch.tensor(0.5), torch.tensor(-5.0), bitwidth=8)
    assert (encoding.min.item(), encoding.max.item()) == (-2.5, 125.0)
    assert encoding.dtype == torch.uint8
    assert encoding.granularity == "pertensor"
    assert not encoding.symmetry
    (entry,) = encoding.to_qnn_encoding_dict("0.6.1")
    assert (entry["offset"], entry["scale"], entry["bitwidth"]) == (-5, 0.5, 8)
    assert encoding.to_qnn_encoding_dict("2.0.0") == {
        "output_dtype": "uint8",
        "y_scale": 0.5,
        "y_zero_point": 5,
    }
    rows = AffineEncoding(torch.ones(3, 1), torch.zeros(3, 1), -8, 7, symmetry=True)
    assert rows.granularity == "perchannel"
    assert rows.dtype == torch.int8
    entry = rows.to_qnn_encoding_dict("1.0.0")
    # Version 1.0.0 counts integers from 0.
    assert (entry["offset"], entry["enc_type"], entry["bw"]) == ([-8] * 3, "PER_CHANNEL", 4)
    assert rows.to_qnn_encoding_dict("2.0.0")["axis"] == 0
    blocks = AffineEncoding(torch.ones(3, 2), torch.zeros(3, 2), 4, True, True, (1, 4))
    assert blocks.to_qnn_encoding_dict("2.0.0")["block_size"] == 4
    with pytest.raises(ValueError, match=r"0.6.1, 1.0.0 and 2.0.0, not 3"):
        rows.to_qnn_encoding_dict("3")
    with pytest.raises(RuntimeError, match="float dtype, not torch.int32"):
        rows.to(torch.int32)
    assert rows.to(torch.float16).scale.dtype == torch.float16
    assert rows.scale.dtype == torch.float32


def known(kind: Any, shape: tuple[int, ...] = (2, 8, 1), scale: Any = 0.1) -> Any:
    """A tensor with an encoding."""
    made = torch.randint(0, 9, shape).float().as_subclass(kind)
    made.encoding = AffineEncoding(torch.as_tensor(scale), torch.as_tensor(scale) * 0, 8)
    return made


KINDS = [Q.QuantizedTensor, Q.DequantizedTensor]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "move",
    [
        lambda t: t.flatten(),
        lambda t: t.permute(2, 0, 1),
        lambda t: t[0],
        lambda t: t[..., None],
        lambda t: torch.unbind(t)[1],
        lambda t: torch.split(t, 4, 1)[0],
        lambda t: t.view(-1),
        torch.detach,
        lambda t: t.clone(),
    ],
)
def test_views_keep_one_encoding_for_all(kind: Any, move: Any) -> None:
    """... and lose one of channels, unless nothing has moved."""
    tensor = known(kind)
    moved = move(tensor)
    assert type(moved) is kind
    assert torch.equal(moved.encoding.scale, tensor.encoding.scale)
    assert moved.encoding is not tensor.encoding
    channels = known(kind, scale=[[[0.1]], [[0.2]]])
    kept = move(channels).encoding
    same = torch.equal(move(channels).as_subclass(Tensor), channels.as_subclass(Tensor))
    assert (kept is not None) == (same and move(channels).shape == channels.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_arithmetic_gives_plain_tensors(kind: Any) -> None:
    """In place, it takes the encoding away."""
    tensor = known(kind)
    for result in (tensor + 1, tensor.sum(), torch.relu(tensor), torch.zeros(2, 8, 1) - tensor):
        assert type(result) is Tensor
    tensor.mul_(2)
    assert tensor.encoding is None


def test_quantized_and_back() -> None:
    """The integers and the values, each of the other; as often as one likes."""
    quantizer = Q.affine.Quantize((), 8, False)
    x = torch.randn(20)
    with quantizer.compute_encodings():
        quantizer(x)
    q = quantizer(x)
    y = q.dequantize()
    assert type(q) is Q.QuantizedTensor
    assert type(y) is Q.DequantizedTensor
    assert torch.equal(y.quantize(), q)
    assert y.dequantize() is y
    assert q.quantize() is q
    assert q.quantized_repr().dtype == torch.uint8
    assert torch.equal(q.quantized_repr().float(), q.as_subclass(Tensor))
    assert torch.equal(y.quantized_repr(), q.quantized_repr())


def test_casts_and_copies() -> None:
    """To other floats; not to integers.  Copies have a copy of the encoding."""
    tensor = known(Q.DequantizedTensor)
    assert tensor.float() is tensor
    assert type(tensor.double()) is Q.DequantizedTensor
    with pytest.raises(RuntimeError, match=r"no torch.int64; its integers are in quantized_repr"):
        tensor.long()
    with pytest.raises(RuntimeError, match="float dtype, not torch.int64"):
        Q.QuantizedTensor(torch.arange(3))
    for made in (copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor))):
        assert type(made) is Q.DequantizedTensor
        assert torch.equal(made, tensor)
        assert made.encoding is not tensor.encoding
        assert torch.equal(made.encoding.scale, tensor.encoding.scale)
    tensor.encoding = None
    with pytest.raises(Q.EncodingError, match="has no encoding"):
        tensor.quantize()
