"""The plot of value ranges: a row for every accumulator and result, red where a type is left."""

import sys

import numpy as np
import pytest

from harness import ApFixed
from harness.hls import Dense, ReLU, Sequential, plot_ranges

T = ApFixed(8, 4)


def model(accum="ap_fixed<20,10>"):
    weight = np.full((3, 2), 7.0)
    types = {"input": T, "weight_type": T, "bias_type": T, "result": T}
    return Sequential(Dense(weight, None, accum=accum, **types), ReLU(input=T, input_shape=(2,)))


def bars(figure, colour):
    axes = figure.axes[0]
    filled = [p for p in axes.patches if p.get_fill() and p.get_width() > 0]
    return {round(p.get_y() + p.get_height() / 2) for p in filled if _hex(p) == colour}


def _hex(patch):
    return "#" + "".join(f"{round(255 * part):02x}" for part in patch.get_facecolor()[:3])


def test_rows_bars_and_lines():
    figure = plot_ranges(model(), np.array([[1.0, 0.5, 0.25]]))
    axes = figure.axes[0]
    labels = [text.get_text().splitlines()[0] for text in axes.get_yticklabels()]
    assert labels == ["dense accum", "dense result", "relu result"]
    assert bars(figure, "#c8553d") == {1}  # 3 * 8 * 7 leaves ap_fixed<8,4>, and not the accumulator
    assert bars(figure, "#4c9f70") == {0, 1, 2}
    assert [round(2 ** line.get_xdata()[0], 2) for line in axes.lines] == [12.25, 12.25, 12.25]
    assert not plot_ranges(model()).axes[0].lines


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ValueError, match="plots need matplotlib; pip install"):
        plot_ranges(model())
