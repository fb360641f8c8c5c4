"""Write the table of formats in docs/types.md from the code; run it as it stands."""

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness.explain.numbers import number
from harness.types import FORMATS, TERNARY, ApFixed, Binary, IeeeFloat, MiniFloat, VitisFloat
from harness.verify.witnesses import WITNESSES

BEGIN, END = "<!-- formats: scripts/formats.py -->\n", "<!-- end of formats -->\n"
EXAMPLES = {
    "ApFixed(16, 6)": ApFixed(16, 6),
    "TERNARY": TERNARY,
    "Binary()": Binary(),
    "MiniFloat(3, 4, 0)": MiniFloat(3, 4, 0),
    "VitisFloat(32, 8)": VitisFloat(32, 8),
}
SPECIALS = {
    "ieee": "infinities, NaN",
    "fn": "NaN",
    "fnuz": "NaN, one zero",
    "none": "none",
}


def table() -> str:
    """The lines of the table, in Markdown."""
    head = (
        "| type | spelled | bits | largest | smallest | specials | truth |\n" + "|---" * 7 + "|\n"
    )
    rows = [_row(name, t) for name, t in EXAMPLES.items()]
    rows += [_row(f'FORMATS["{name}"]', t) for name, t in FORMATS.items()]
    return head + "".join(rows)


def _row(name: str, t: Any) -> str:
    ends = [_number(t.max_exact), _number(_smallest(t))]
    cells = [f"`{name}`", f"`{t}`", _bits(t), *ends, _specials(t)]
    return f"| {' | '.join([*cells, _truth(t)])} |\n"


def _bits(t: Any) -> str:
    if isinstance(t, ApFixed | Binary):
        return str(t.width)
    return f"{t.width} = 1 + {t.exp_bits} + {t.frac_bits}"


def _smallest(t: Any) -> Fraction:
    if isinstance(t, Binary):
        return Fraction(1)
    return t.lsb_exact if isinstance(t, ApFixed) else t.smallest_exact


def _number(value: Fraction) -> str:
    """Short and exact where it can be, and a power of two as such."""
    if value.numerator == 1 and value.denominator > 1024:
        return f"2^-{value.denominator.bit_length() - 1}"
    return number(value).removeprefix("about ")


def _specials(t: Any) -> str:
    if isinstance(t, ApFixed | Binary):
        return "none"
    return SPECIALS[t.specials] + ("" if t.subnormals else ", no subnormals")


def _truth(t: Any) -> str:
    if isinstance(t, ApFixed):
        return "`ap_fixed.h`"
    if isinstance(t, Binary):
        return "hls4ml's `binary_tanh`"
    if isinstance(t, MiniFloat):
        return "`ap_float.h` in its domain, `minifloat.h`"
    assert isinstance(t, IeeeFloat | VitisFloat)
    return ", ".join(witness.name for witness in WITNESSES if witness.accepts(t))


def main() -> None:
    path = Path(__file__).resolve().parent.parent / "docs" / "types.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    aside = path.with_suffix(".new")
    aside.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    aside.replace(path)
    sys.stdout.write(f"{len(EXAMPLES) + len(FORMATS)} types written to docs/types.md\n")


if __name__ == "__main__":
    main()
