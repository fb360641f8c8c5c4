"""Dilated convolutions: what hls4ml's generator leaves out, and what it would write with it."""

import pytest
from hls4ml_graphs import AXES, Graph

from harness.hls.check.command import Request, verify_project
from harness.hls.project import BrokenProject, Project, ProjectError

WIDTH = 9


def write(folder, rank=1, strategy="Latency", stride=1, *, pad=0, parallel=None, kind="Conv"):
    """A project of one convolution with windows of three elements, every other one."""
    g, filters = Graph(), 1 if strategy.startswith("distributed") else 2
    config = {"ParallelizationFactor": parallel} if parallel else None
    x = g.input("x", *[WIDTH] * rank, 2)
    name = g.conv(x, (3,) * rank, filters, stride=stride, kind=kind, config=config)
    out = (WIDTH + 2 * pad - 5) // stride + 1
    facts = {"dilation": 2 if rank == 1 else [2, 2]}
    for axis, before, after in AXES[rank]:
        facts |= {f"out_{axis}": out, f"dilation_{axis}": 2}
        facts |= {f"pad_{before}": pad, f"pad_{after}": pad}
    g.layers[-1].update(facts)
    g.shapes[name] = (*[out] * rank, g.shapes[name][-1])
    return g.write(folder, "Vivado", "io_parallel", strategy=strategy)


@pytest.fixture
def mended(monkeypatch):
    """hls4ml's generator, given the dilation that its caller leaves out."""
    from hls4ml.backends import VivadoBackend

    for rank in (1, 2):
        name = f"generate_conv{rank}d_line_buffer_fn"
        generate = getattr(VivadoBackend, name)
        monkeypatch.setattr(
            VivadoBackend, name, lambda *a, _to=generate, **k: _to(*a, **k, dilation=2)
        )


@pytest.mark.parametrize("kind", ["Conv", "DepthwiseConv"])
def test_windows_without_their_dilation_are_broken(kind, tmp_path):
    """As many windows as there should be, but of neighbours; or more than the buffer has."""
    path = write(tmp_path / "other", stride=4, kind=kind)
    with pytest.raises(BrokenProject, match="fill_buffer_2 fills windows without their dilation"):
        Project.read(path).model()
    path = write(tmp_path / "more", parallel=5, kind=kind)
    with pytest.raises(BrokenProject, match=r"buffer\[5\]\[0\] = .* cannot be: it has 5 windows"):
        Project.read(path).model()


@pytest.mark.parametrize("kind", ["Conv", "DepthwiseConv"])
def test_windows_with_their_dilation(kind, tmp_path, mended):
    found = verify_project(Request(write(tmp_path, kind=kind), rows=20))
    assert found.verdict == "AGREE", found.summary


@pytest.mark.parametrize(("rank", "stride", "pad"), [(1, 2, 2), (2, 2, 1)])
def test_distributed_arithmetic(rank, stride, pad, tmp_path, mended):
    """Dilation and padding are read off the windows; C++ of few of them compiles soon."""
    path = write(tmp_path, rank, "distributed_arithmetic", stride, pad=pad)
    (step,) = Project.read(path).model().steps
    assert [(axis.dilation, axis.before) for axis in step.layer.windows.axes] == [(2, pad)] * rank
    if rank == 1:
        found = verify_project(Request(path, rows=20))
        assert found.verdict == "AGREE", found.summary


def test_windows_of_no_dilation_at_all(tmp_path, mended):
    path = write(tmp_path, strategy="distributed_arithmetic")
    code = path / "firmware/nnet_utils/nnet_code_gen.h"
    text = code.read_text()
    assert text.count("data[4];") == 2
    code.write_text(text.replace("data[4];", "data[2];", 1))
    with pytest.raises(ProjectError, match="does not slide a window over the image"):
        Project.read(path).model()
