"""Tables: NumPy ``.npz``, CSV, and the decimal ``tb_data`` of hls4ml's testbenches."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from fractions import Fraction
from typing import Any

import numpy as np

from harness.golden.emit.layout import Files, Format, Lines, Stored, no_extras
from harness.golden.emit.names import columns_of
from harness.golden.record import (
    Column,
    GoldenError,
    Group,
    Number,
    code_of,
    digits,
    values,
    word_of,
)
from harness.quantize import decode, quantize_codes
from harness.types import ApFixed

__all__ = ["CSV", "DAT", "NPZ"]

_LIMB = (1 << 64) - 1


def _write_csv(group: Group, stem: str) -> Files:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns_of(group.columns).values())
    lengths = [digits(t) for t in group.columns.values()]
    for case in group.cases:
        table.writerow(f"{w:0{n}x}" for w, n in zip(case.words, lengths, strict=True))
    return {f"{stem}.csv": out.getvalue().encode()}


def _read_csv(stored: Stored) -> list[list[int]]:
    lines = stored.lines(f"{stored.stem}.csv")
    lines.expect(",".join(columns_of(stored.columns).values()))
    return lines.rows(stored.count, list(stored.columns.values()), ",")


def _write_npz(group: Group, stem: str) -> Files:
    arrays, names = {}, columns_of(group.columns)
    for name, t in group.columns.items():
        words, limbs = group.words(name), (t.width + 63) // 64
        rows = [[word >> 64 * k & _LIMB for k in range(limbs)] for word in words]
        array = np.array(rows, dtype=np.uint64)
        arrays[names[name]] = array[:, 0] if limbs == 1 else array
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return {f"{stem}.npz": out.getvalue()}


def _read_npz(stored: Stored) -> list[list[int]]:
    file, found = f"{stored.stem}.npz", []
    path, data = stored.directory / file, stored.data(file)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            tables = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise GoldenError(path, None, f"is no .npz: {error}") from None
    for name, t in zip(columns_of(stored.columns).values(), stored.columns.values(), strict=True):
        array, limbs = tables.get(name), (t.width + 63) // 64
        shape = (stored.count,) if limbs == 1 else (stored.count, limbs)
        if array is None or array.dtype != np.uint64 or array.shape != shape:
            raise GoldenError(path, None, f"has no array {name} of uint64 {shape}")
        rows = array.reshape(stored.count, limbs).tolist()
        words = [sum(limb << 64 * k for k, limb in enumerate(row)) for row in rows]
        for k, word in enumerate(words):
            if word >> t.width:
                raise GoldenError(path, None, f"{name}[{k}] has more than {t.width} bits")
        found.append(words)
    return found


# hls4ml's testbench reads each token by atof into a float, one sample a line.
_INPUT, _OUTPUT = "tb_input_features.dat", "tb_output_predictions.dat"


def _write_dat(group: Group, stem: str) -> Files:
    if not group.sources:
        raise ValueError(f"dat holds inputs and outputs, not the {group.operation} of a tensor")
    columns = {name: _decimals(group.words(name), t) for name, t in group.columns.items()}
    inputs = [columns[name] for name in group.sources]
    outputs = [column for name, column in columns.items() if name not in group.sources]
    sample = group.sample
    return {
        f"{stem}/tb_data/{_INPUT}": _rows(inputs, sample),
        f"{stem}/tb_data/{_OUTPUT}": _rows(outputs, sample),
    }


def _rows(columns: list[list[str]], sample: int) -> bytes:
    """A sample a line, that many numbers of each column."""
    starts = range(0, len(columns[0]), sample)
    rows = [[x for column in columns for x in column[k : k + sample]] for k in starts]
    return "".join(f"{' '.join(row)}\n" for row in rows).encode()


def _decimals(words: list[int], t: Column) -> list[str]:
    return [_decimal(word, t) for word in words]


def _decimal(word: int, t: Column) -> str:
    """The shortest decimal that a float reads back exactly; ``ValueError`` if there is none."""
    exact = _value(word, t)
    if isinstance(exact, float) and not math.isfinite(exact):
        raise ValueError(f"tb_data cannot hold {exact}")
    with np.errstate(over="ignore", under="ignore"):
        single = np.float32(float(exact)) if abs(exact) < 2**200 else np.float32(np.inf)
    if not np.isfinite(single) or Fraction(float(single)) != exact:
        raise ValueError(
            f"tb_data goes through a C++ float, which cannot hold the word {word:x} of {t}"
        )
    x = float(exact)
    if _word(x, t) != word:
        raise ValueError(f"tb_data reads {x!r} back as another word than {word:x} of {t}")
    return repr(x)


def _value(word: int, t: Column) -> Any:
    """The value of a word: a float if it has a sign of zero or is not finite, else exact."""
    code = code_of(word, t)
    if isinstance(t, Number):
        return code
    if isinstance(t, ApFixed):
        return t.lsb_exact * code
    return float(decode(values([word], t), t)[0])


def _read_dat(stored: Stored) -> list[list[int]]:
    names, sample = list(stored.columns), stored.sample
    split = names.index("expected")
    found: dict[str, list[int]] = {name: [] for name in names}
    for file, here in ((_INPUT, names[:split]), (_OUTPUT, names[split:])):
        lines = stored.lines(f"{stored.stem}/tb_data/{file}")
        for _ in range(stored.count // sample):
            tokens = lines.take("a sample").split(" ")
            if len(tokens) != len(here) * sample:
                raise lines.wrong(f"a sample has {len(here) * sample} numbers, not {len(tokens)}")
            for k, token in enumerate(tokens):
                name = here[k // sample]
                found[name].append(_undecimal(token, stored.columns[name], lines))
        lines.end()
    return list(found.values())


def _undecimal(token: str, t: Column, lines: Lines) -> int:
    try:
        x = float(token)
    except ValueError:
        raise lines.wrong(f"{token[:40]!r} is no number") from None
    if not math.isfinite(x):
        raise lines.wrong(f"{token} is no value of {t}")
    word = _word(x, t)
    if word is None or Fraction(_value(word, t)) != Fraction(x):
        raise lines.wrong(f"{token} is no value of {t}")
    return word


def _word(x: float, t: Column) -> int | None:
    """The word that a number is read back as; ``None`` for a fraction as an integer."""
    if not isinstance(t, Number):
        return word_of(np.asarray(quantize_codes(np.array([x]), t)).tolist()[0], t)
    if t.cpp in ("double", "float"):
        return word_of(x, t)
    return word_of(int(x), t) if x.is_integer() else None


NPZ = Format("NumPy arrays of uint64", _write_npz, _read_npz, no_extras)
CSV = Format("comma-separated hexadecimal words", _write_csv, _read_csv, no_extras)
DAT = Format("tb_data of an hls4ml project: decimals", _write_dat, _read_dat, no_extras)
