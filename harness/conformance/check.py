"""Hold a function against these vectors; this file needs Python alone.

    python check.py MODULE:FUNCTION [FILE ...]

``FUNCTION(values, type)`` is called for each way into each type: with the inputs as a list of
floats, and with the facts of the type as ``types.json`` has them, its spelling under ``spelling``
and that of the inputs under ``source``.  It returns as many floats, which are values, or integers,
which are codes, or raises ``NotImplementedError`` where it offers no such type.

Exit status: 0 if every answer is right, 1 if one is not, 2 if nothing could be asked.
"""

from __future__ import annotations

import importlib
import json
import math
import operator
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LEVELS = ("values", "between", "ties", "edges", "beyond", "quirks", "specials")
NUMBERS = {"double": ("<Q", "<d"), "float": ("<I", "<f")}

Facts = dict[str, Any]


def decode(word: int, t: Facts) -> Fraction | float:
    """The value of a word; a float for NaN and infinities."""
    width = t["width"]
    if t["kind"] == "fixed":
        sign = int(t["signed"]) and word >> (width - 1)
        return Fraction(word - (sign << width)) / Fraction(2) ** int(width - t["integer"])
    fraction, ones = t["frac_bits"], (1 << t["exp_bits"]) - 1
    word ^= t["flip"]  # an exponent in two's complement is biased with its top bit inverted
    negative, magnitude = word >> (width - 1), word & ((1 << (width - 1)) - 1)
    field, significand = magnitude >> fraction, magnitude & ((1 << fraction) - 1)
    if t["specials"] == "ieee" and field == ones:
        return math.nan if significand else -math.inf if negative else math.inf
    if t["specials"] == "fn" and magnitude == (1 << (width - 1)) - 1:
        return math.nan
    if t["specials"] == "fnuz" and negative and not magnitude:
        return math.nan
    if field:
        significand |= 1 << fraction
    value = significand * Fraction(2) ** int(max(field, 1) - t["bias"] - fraction)
    return Fraction(-value if negative else value)


def number(word: int, source: str, types: dict[str, Facts]) -> float:
    """An input as a float, exactly."""
    if source not in NUMBERS:
        return float(decode(word, types[source]))
    (x,) = struct.unpack(NUMBERS[source][1], struct.pack(NUMBERS[source][0], word))
    return float(x)


def right(answer: Any, word: int, t: Facts) -> bool:
    """Whether an answer is the word: an integer as a code, anything else as a value."""
    try:
        return operator.index(answer) & ((1 << int(t["width"])) - 1) == word
    except TypeError:
        value, expected = float(answer), decode(word, t)
    return value == expected or (math.isnan(value) and math.isnan(expected))


def groups(files: list[Path], types: dict[str, Facts]) -> Iterator[tuple[Facts, list[Any]]]:
    """Each type with its rows: the input, the word expected, and the level."""
    for path in files:
        for group in json.loads(path.read_text(encoding="utf-8"))["groups"]:
            *sources, target = group["columns"].values()
            rows = [
                (number(int(x, 16), sources[0], types), int(word, 16), flags.split()[0][6:])
                for x, word, flags in group["cases"]
            ]
            yield {**types[target], "spelling": target, "source": sources[0]}, rows


def check(function: Callable[..., Any], files: list[Path]) -> tuple[Counter[str], Counter[str]]:
    """Ask, print a row a level, and return the counts asked and different.

    Raises:
        ValueError: if the function raises, or gives another number of answers.
    """
    asked: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    first: dict[str, str] = {}
    left = 0
    for t, rows in groups(files, json.loads((HERE / "types.json").read_text(encoding="utf-8"))):
        try:
            answers = list(function([x for x, _, _ in rows], t))
        except NotImplementedError:
            left += len(rows)
            continue
        except Exception as error:  # it may raise anything
            raise ValueError(f"raised on {t['spelling']}: {error!r}") from error
        if len(answers) != len(rows):
            raise ValueError(f"{len(answers)} answers to {len(rows)} inputs of {t['spelling']}")
        for answer, (x, word, level) in zip(answers, rows):  # noqa: B905  # equal, see above
            asked[level] += 1
            if not right(answer, word, t):
                wrong[level] += 1
                expected = float(decode(word, t))
                first.setdefault(level, f"{t['spelling']}({x!r}) = {answer}, not {expected!r}")
    for level in LEVELS:
        if asked[level]:
            counts = f"{level:9}{asked[level]:8} asked{wrong[level]:8} differ"
            sys.stdout.write(f"{counts}  {first.get(level, '')}".rstrip() + "\n")
    sys.stdout.write(f"{left} not offered\n")
    return asked, wrong


def main(arguments: list[str]) -> int:
    """The command."""
    if not arguments or ":" not in arguments[0]:
        sys.stderr.write("usage: python check.py MODULE:FUNCTION [FILE ...]\n")
        return 2
    module, name = arguments[0].split(":", 1)
    sys.path.insert(0, str(Path.cwd()))
    function = getattr(importlib.import_module(module), name)
    files = [Path(name) for name in arguments[1:]] or sorted(HERE.glob("*/*.json"))
    try:
        asked, wrong = check(function, files)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"check.py: {error}\n")
        return 2
    if not asked:
        sys.stderr.write("check.py: nothing was asked\n")
        return 2
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
