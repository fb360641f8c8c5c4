"""Weights: the text files that C simulation loads, and the headers that synthesis compiles."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.project.scope import Scope
from harness.hls.project.source import ProjectError, Source, split_arguments
from harness.hls.project.top import Load
from harness.quantize import quantize_codes
from harness.types import ApFixed, ApInt

__all__ = ["Weight", "read_weights"]

_DEFINED = re.compile(r"(?:static |const )*(\w+) (\w+)\[(\d+)\](?: ?= ?\{(.*)\})?")
_PAIR = re.compile(r"\{ *([^ ,{}]+) *, *([^ ,{}]+) *\}")
_DECIMAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Weight:
    """An array of weights.

    Attributes:
        name: its name.
        codes: what C simulation computes with, flat.
        synthesis: what synthesis reads from the header; ``None`` if it has no numbers.
        files: the files of the two.
        decimals: the numbers as they are spelled for C simulation; ``None`` for pairs.
    """

    name: str
    codes: Fixed
    synthesis: Fixed | None
    files: tuple[str, str]
    decimals: Array | None = None

    def lost(self) -> tuple[float, str]:
        """The share of the numbers' rms that their type takes away, and how, in words."""
        if self.decimals is None:
            return 0.0, ""
        kept, t = self.codes.values(), self.codes.type
        error, size = np.square(kept - self.decimals).mean(), np.square(self.decimals).mean()
        share = float(np.sqrt(error / size)) if size else 0.0
        zeros = int(np.count_nonzero((kept == 0) & (self.decimals != 0)))
        count = f"{len(kept):,} numbers of {self.name}"
        if zeros > len(kept) // 10:
            return share, f"{zeros:,} of {count} become 0 in {t}"
        beyond = np.count_nonzero(np.abs(kept - self.decimals) > 2 * float(t.lsb_exact))
        how = f"{beyond:,} of {count} do not fit {t}" if beyond else f"{count} are rounded to {t}"
        return share, how

    def difference(self) -> str | None:
        """Where C simulation and synthesis have different codes; ``None`` if nowhere."""
        if self.synthesis is None or np.array_equal(self.codes.codes, self.synthesis.codes):
            return None
        wrong = np.flatnonzero(self.codes.codes != self.synthesis.codes)
        k = int(wrong[0])
        ours, theirs = (
            f"code {int(x.codes[k])} ({float(x[k].fractions().item()):.10g})"
            for x in (self.codes, self.synthesis)
        )
        return (
            f"{self.name}: {wrong.size} of {len(self.codes)} codes differ between C simulation and "
            f"synthesis; at {k} {self.files[0]} has {ours}, {self.files[1]} has {theirs}"
        )


def read_weights(root: Path, scope: Scope, loads: tuple[Load, ...]) -> dict[str, Weight]:
    """Every weight that ``parameters.h`` includes.

    Raises:
        ProjectError: for a file that is missing, has another count of numbers, or one that is none.
    """
    loaded = {load.weight: load for load in loads}
    return {name: _weight(root, scope, name, loaded.get(name)) for name in scope.weights}


def _weight(root: Path, scope: Scope, name: str, load: Load | None) -> Weight:
    header = root / "firmware" / "weights" / f"{name}.h"
    synthesis = Source(header, root, synthesis=True)
    found = [m for s in synthesis.statements if (m := _DEFINED.fullmatch(s.text)) and m[2] == name]
    if not found:
        raise ProjectError(f"{synthesis.name}: there is no array {name}")
    type_name, _, size_text, numbers = found[0].groups()
    exponent = scope.exponents.get(type_name)
    t = exponent or scope.type(type_name, f"{synthesis.name}: the type of {name}")
    codes_of = _codes if exponent is None else _signed_powers
    size = int(size_text)
    compiled = None
    if numbers is not None:
        compiled = codes_of(split_arguments(numbers), t, size, synthesis.name)
    if load is None:
        if compiled is None:
            raise ProjectError(f"{synthesis.name}: {name} has no numbers, and none are loaded")
        spelled = None if exponent else _decimals(split_arguments(numbers or ""), size, name)
        return Weight(name, compiled, compiled, (synthesis.name, synthesis.name), spelled)
    if load.kind != ("" if exponent is None else "exponent"):
        raise ProjectError(f"{load.place}: {name}: {load.kind} weights of {type_name}")
    path = header.with_name(load.file)
    text = path.relative_to(root).as_posix()
    if load.size != size:
        raise ProjectError(f"{load.place}: {load.size} numbers are loaded into {name}[{size}]")
    try:
        lines = path.read_text(encoding="utf-8").split("\n", 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"cannot read {text}: {getattr(error, 'strerror', error)}") from None
    pieces = [n.strip() for n in lines[0].split(",")] if exponent is None else None
    simulated = codes_of(pieces or split_arguments(lines[0]), t, size, text)
    spelled = None if pieces is None else _decimals(pieces, size, text)
    return Weight(name, simulated, compiled, (text, synthesis.name), spelled)


def _codes(numbers: list[str], t: ApFixed, size: int, name: str) -> Fixed:
    """Numbers as C++ converts the doubles they spell."""
    values = _decimals(numbers, size, name)
    if isinstance(t, ApInt) and (values != np.trunc(values)).any():
        raise ProjectError(f"{name}: a number is no integer, but the type is {t}")
    return Fixed(np.asarray(quantize_codes(values, t)), t)


def _decimals(numbers: list[str], size: int, name: str) -> Array:
    """The doubles that texts spell."""
    if len(numbers) != size:
        raise ProjectError(f"{name}: {len(numbers)} numbers, {size} are wanted")
    values: Array = np.empty(size)
    for k, text in enumerate(numbers):
        if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
            raise ProjectError(f"{name}: number {k} is {text!r}, which is no finite number")
        values[k] = float(text)
    return values


def _signed_powers(pairs: list[str], t: ApFixed, size: int, name: str) -> Fixed:
    """``{sign, exponent}`` as codes ``2 * exponent + sign``."""
    found = [_PAIR.fullmatch(text) for text in pairs]
    if len(found) != size or not all(found):
        raise ProjectError(f"{name}: {size} pairs {{sign, exponent}} are wanted")
    signs, exponents = zip(*(m.groups() for m in found if m), strict=True)
    low = _codes(list(signs), ApInt(1, signed=False), size, name)
    high = _codes(list(exponents), t, size, name)
    return Fixed(2 * high.codes + low.codes, ApInt(t.width + 1))
