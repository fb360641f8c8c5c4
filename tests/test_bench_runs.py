"""The benchmark, small: it measures, judges and reports; no time is asserted."""

import io

import pytest
import torch
from rich.console import Console

from harness.bench import run, typed
from harness.report.timing import Screen


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
    monkeypatch.setattr(typed, "ROWS", 200)
    monkeypatch.setattr(typed, "KERNELS", 2)

    class Silent:
        def begin(self, doing: str) -> None: ...

        def done(self) -> None: ...

        def beat(self) -> None: ...

    figures = typed.measure(torch, 1, Silent())
    assert [figure.target for figure in figures] == ["predict", "sums", "twin"]
    assert all(figure.value > 0 for figure in figures)
    assert "0 of 1,000 values differ" in figures[0].note
    assert "0 of 128,000 codes differ" in figures[1].note
