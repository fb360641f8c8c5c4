"""Every layer against its C++ twin: random types, sizes, weights and inputs, no code differs."""

import io

import pytest
from rich.console import Console

from harness.hls import Dense, Fixed
from harness.hls.proof import FAMILIES, Draw, named, prove
from harness.report.proofs import print_proofs


@pytest.mark.parametrize("kernel", FAMILIES)
def test_a_layer_is_its_kernel(kernel, oracle):
    (proof,) = prove(oracle, [kernel], configurations=4, values=2000, jobs=1)
    assert proof.configurations == 4
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
    assert named(["dense_l"]) == ["dense_latency"]
    assert named(None) == list(FAMILIES)
    with pytest.raises(ValueError, match="no kernel is called 'xyz'; there are: "):
        named(["dense", "xyz"])
