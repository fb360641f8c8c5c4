"""What a project is run with: random codes, its test bench's rows, or a file's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.layers.shape import Reshape
from harness.hls.model import Model
from harness.hls.project.project import Project
from harness.hls.project.source import ProjectError
from harness.hls.proof.draw import long_codes
from harness.quantize.wide import map_codes
from harness.types import ApFixed

__all__ = ["drawn", "from_file", "of_test_bench", "read_rows"]

TEST_BENCH = "tb_data/tb_input_features.dat"


def drawn(model: Model, rows: int, seed: int) -> tuple[Fixed, ...]:
    """Random codes: mostly moderate values, some from the whole range, some at its ends.

    The first three rows are all lowest, all highest, and all zero, or what is next to it.  The
    range is that of the type, or less where the layer that reads the input takes fewer codes.
    """
    rng = np.random.default_rng(seed)
    return tuple(
        _drawn(rng, t, (rows, *shape), *_range(model, name, t))
        for name, (t, shape) in model.inputs.items()
    )


def _range(model: Model, name: str, t: ApFixed) -> tuple[int, int]:
    """The codes that every layer takes that reads an input."""
    low, high = t.min_code, t.max_code
    names = {name}
    for step in model.steps:
        for place, read in enumerate(step.inputs):
            if read in names:
                least, most = step.layer.code_range(place)
                low, high = max(low, least), min(high, most)
                if isinstance(step.layer, Reshape):
                    names.add(step.output)
    return low, high


def _drawn(rng: Any, t: ApFixed, shape: tuple[int, ...], low: int, high: int) -> Fixed:
    if t.width > 64:
        whole = low + long_codes(rng, t, shape).codes % (high - low + 1)
    else:
        whole = rng.integers(low, high, shape, np.uint64 if low >= 0 else np.int64, endpoint=True)
    least, zero = max(low, low / 2), min(max(0, low), high)
    moderate = rng.normal(0, min(2.0**t.frac, high / 4), shape)
    moderate = np.clip(moderate, least, max(high / 2, least))
    codes = map_codes(int, moderate) if t.width > 64 else moderate.astype(np.int64)
    ends = rng.choice(
        np.array([low, high, zero, min(max(1, low), high), min(max(-1, low), high)], object), shape
    )
    kind = rng.random((shape[0], *(1 for _ in shape[1:])))
    codes = np.where(kind < 0.3, whole.astype(codes.dtype), codes)
    codes = np.where((kind < 0.15) & (rng.random(shape) < 0.5), _words(ends, t), codes)
    for row, code in zip(range(shape[0]), (low, high, zero), strict=False):
        codes[row] = _words(np.array(code, object), t)
    return Fixed(codes, t)


def _words(codes: Array, t: ApFixed) -> Array:
    """Python integers as arrays of codes have them: unsigned types of 64 bits fill a word."""
    if t.width > 64:
        return codes
    return np.asarray(codes.astype(np.uint64) if (codes >= 0).all() else codes).astype(np.int64)


def of_test_bench(project: Project) -> tuple[Fixed, ...] | None:
    """The rows that the project's own test bench reads; ``None`` if it has none.

    A line has the values of every input, one after the other; they are read as C++ floats.
    """
    path = project.directory / TEST_BENCH
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"cannot read {TEST_BENCH}: {error}") from None
    sizes = [math.prod(v.shape) for v in project.inputs]
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = np.array([float(x) for x in line.split()], np.float32)
        except ValueError:
            raise ProjectError(f"{TEST_BENCH}:{number}: a value is no number") from None
        if len(row) != sum(sizes) or not np.isfinite(row).all():
            raise ProjectError(
                f"{TEST_BENCH}:{number}: {sum(sizes)} finite values are wanted, got {len(row)}"
            )
        rows.append(row)
    if not rows:
        return None
    parts = np.split(np.stack(rows), np.cumsum(sizes)[:-1], axis=1)
    return project.batch(*parts)


def read_rows(project: Project, path: Path) -> list[Array]:
    """The rows of a ``.npy``, or of a ``.npz`` with an array for each input by its name.

    Raises:
        ValueError: if the file cannot be read, or has no arrays of these names.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"cannot read {path}: {error}") from None
    if isinstance(loaded, np.ndarray):
        arrays = [loaded]
    else:
        names = [v.name for v in project.inputs]
        if sorted(loaded.files) != sorted(names):
            raise ValueError(f"{path} has {', '.join(loaded.files)}; wanted: {', '.join(names)}")
        arrays = [loaded[name] for name in names]
    for array in arrays:
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{path} has {array.dtype}; wanted: floats, or integers as codes")
        if array.ndim < 1 or len(array) == 0:
            raise ValueError(f"{path} has no rows")
    return arrays


def from_file(project: Project, path: Path) -> tuple[Fixed, ...]:
    """The same as codes: floats are values, integers are codes.

    Raises:
        ValueError: if the file cannot be read, or is not what the inputs take.
    """
    try:
        return project.batch(*read_rows(project, path))
    except TypeError as error:
        raise ValueError(str(error)) from None
