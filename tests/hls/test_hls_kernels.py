"""Every layer against its C++ twin: random types, sizes, weights and inputs, no code differs."""

import io

import numpy as np
import pytest
from rich.console import Console

from harness import ApFixed
from harness.hls import Conv1D, Dense, DepthwiseConv1D, Fixed, Twin
from harness.hls.proof import FAMILIES, Draw, named, prove
from harness.hls.proof.streamed import streamed_kernel
from harness.report.proofs import print_proofs
from harness.types import ApInt


@pytest.mark.parametrize("kernel", FAMILIES)
def test_a_layer_is_its_kernel(kernel, oracle):
    count = 2 if kernel.endswith(", products") else 4  # they differ from others by a product alone
    (proof,) = prove(oracle, [kernel], configurations=count, values=2000, jobs=1)
    assert proof.configurations == count
    assert proof.codes > 0
    assert proof.differences == 0, proof.first


class Wrong(Dense):
    """Rounds where the kernel truncates."""

    def compute(self, *inputs):
        right = super().compute(*inputs)
        return Fixed(right.codes ^ (right.codes > 0), right.type)


def test_a_wrong_layer_is_found(oracle, monkeypatch):
    def draw(source):
        layer = FAMILIES["dense_latency"](source)
        args, kwargs = layer.__dict__["_arguments"]
        return Wrong(*args, **kwargs)

    monkeypatch.setitem(FAMILIES, "wrong", draw)
    (proof,) = prove(oracle, ["wrong"], configurations=4, values=2000, jobs=1)
    assert proof.differences > 0
    assert isinstance(proof.first, Wrong)
    out = io.StringIO()
    print_proofs([proof], Console(file=out, width=100))
    assert "1 kernels DIFFER" in out.getvalue()
    assert "wrong differs: Wrong(ap_" in out.getvalue()


def test_equal_seeds_draw_equal_layers():
    for draw in FAMILIES.values():
        assert draw(Draw(3, 1)).kernel() == draw(Draw(3, 1)).kernel()


def test_names_are_found_by_a_part():
    assert named(["dense_latency"]) == ["dense_latency", "dense_latency, stream"]
    assert named(None) == list(FAMILIES)
    with pytest.raises(ValueError, match="no kernel is called 'xyz'; there are: "):
        named(["dense", "xyz"])


class Integers(Draw):
    """Types that are now and then ``ap_int`` and ``ap_uint``."""

    def type(self, *args, **kwargs):
        t = super().type(*args, **kwargs)
        return ApInt(t.width, t.signed) if self.integer(0, 1) else t


def test_integer_types_compute_as_the_kernels_do(oracle):
    """Inputs, weights, accumulators and results; each of them is an ``ap_int`` in some layer."""
    kernels = ("dense_latency", "add", "maximum", "relu", "normalize, per channel")
    twins = [Twin(FAMILIES[name](Integers(1, k)), oracle) for name in kernels for k in (3, 6)]
    twins = [twin for twin in twins if twin.refusal() is None]
    for _ in oracle.compile([twin.kernel for twin in twins]):
        pass
    used = set()
    for k, twin in enumerate(twins):
        inputs = Integers(2, k).inputs(twin.layer, 400)
        np.testing.assert_array_equal(twin.layer.run(*inputs).codes, twin.run(*inputs).codes)
        layer = twin.layer
        types = {"input": layer.input_types[0], "result": layer.result, **layer.parameter_types}
        types["accum"] = getattr(layer, "accum", None)
        used |= {name for name, t in types.items() if isinstance(t, ApInt)}
    assert used >= {"input", "weight", "accum", "result", "scale"}


def test_what_no_header_defines_is_refused():
    """A product without integer bits has no value in an ``ap_int``: of its negative ones the
    header reads what nobody wrote."""
    t = ApFixed(8, -1)
    types = {"input": t, "weight_type": t, "bias_type": ApInt(4), "result": ApInt(8)}
    layer = Dense([[0.1]], accum=ApInt(8), **types)
    with pytest.raises(ValueError, match="ap_fixed<16,-2> to ap_int<8> is undefined"):
        layer.run(Fixed(np.array([[1]]), t))


@pytest.mark.parametrize("kind", [Conv1D, DepthwiseConv1D])
def test_a_line_buffer_multiplies_one_window(kind, oracle):
    """Windows of one pixel of a long line: no weight is read that there is not."""
    t, wide = ApFixed(12, 4), ApFixed(24, 12)
    rng = np.random.default_rng(1)
    types = {"input": t, "weight_type": t, "bias_type": t, "accum": wide, "result": wide}
    layer = kind(rng.normal(size=(1, 1, 1)), [0.5], input_shape=(64, 1), stride_width=3, **types)
    x = Fixed.of(rng.normal(size=(20, 64, 1)), t)
    twin = Twin(layer, oracle, streamed_kernel(layer.kernel()))
    for _ in range(3):
        rng.normal(size=50_000)  # what stands beyond the weights
        assert twin.run(x).codes.tolist() == layer.run(x).codes.tolist()
