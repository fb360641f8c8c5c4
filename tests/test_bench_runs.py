"""The benchmark, small: it measures, judges and reports; no time is asserted."""

import io
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from harness.bench import proofs, typed
from harness.bench.session import run
from harness.bench.targets import TARGETS
from harness.prove.plan import float_tasks
from harness.report.timing import Screen


class Silent:
    """A bar that nobody sees."""

    def begin(self, doing: str) -> None: ...

    def done(self) -> None: ...

    def beat(self) -> None: ...


def test_a_small_run() -> None:
    """Every mode and every peer has a figure, and no peer's values are unaccounted for."""
    out = io.StringIO()
    figures = run(Screen(Console(file=out, width=100)), repeats=1, size=20_000, oracle=False)
    for kind in ("NumPy", "torch"):
        grid = figures["quantize"][kind]
        assert len(grid) == 7
        assert all(len(row) == 5 and min(row.values()) > 0 for row in grid.values())
    assert {"apytypes", "fxpmath", "quantizers"} <= {p["distribution"] for p in figures["peers"]}
    # apytypes makes 0 of what should round up to the smallest normal.
    different = {(p["name"], p["mode"]) for p in figures["peers"] if p["differing"]}
    assert different <= {("apytypes, cast alone", "ieee<4,3>")}
    for kind in ("NumPy", "torch"):
        assert min(figures["quantize_floats"][kind].values()) > 0
    assert "x copyto" in out.getvalue()


def test_bad_size() -> None:
    """Nothing can be measured on nothing."""
    with pytest.raises(ValueError, match="must be positive"):
        run(Screen(Console(file=io.StringIO())), repeats=0)


@pytest.mark.filterwarnings("ignore")  # those of hls4ml's imports
def test_typed_layers_beside_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure is measured, and nothing differs from what it is held against."""
    tasks = [replace(task, rows=200) for task in (typed.MLP, typed.CNN, typed.GRU)]
    ways = list(zip(tasks, ("io_parallel", "io_stream", "io_parallel"), strict=True))
    monkeypatch.setattr(typed, "PREDICTIONS", ways)
    monkeypatch.setattr(typed, "KERNELS", 2)
    figures = typed.measure(torch, 1, Silent())
    targets = ["predict", "images", "steps", "sums", "twin"]
    assert [figure.target for figure in figures] == targets
    assert set(targets) <= set(TARGETS)
    assert all(figure.value > 0 for figure in figures)
    for figure, count in zip(figures, ("1,000", "1,600", "3,200"), strict=False):
        assert f" 0 of {count} values differ" in figure.note
    assert "0 of 128,000 codes differ" in figures[3].note


def test_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is timed is proven, and a share is scaled to the whole."""
    small = float_tasks("float32", "ap_fixed<4,2>", 3)  # seconds where doubles take ten
    monkeypatch.setattr(proofs, "float_tasks", lambda *_: small)
    figures = proofs.measure(1, Silent(), one_in=1000)
    assert [figure.target for figure in figures] == ["cast", "proofs", "doubles"]
    assert {figure.target for figure in figures} <= set(TARGETS)
    assert all(figure.note.endswith("questions, proven") for figure in figures)
    assert figures[1].note.startswith("1 of 201 tasks")
    assert figures[1].value > 100 * figures[0].value
