"""What notebooks show: tables that are well-formed, escaped, and say the right values."""

import subprocess
import sys
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from harness import FORMATS, ApFixed, ApInt, Binary, Fixed, MiniFloat, VitisFloat, quantize_codes
from harness.fixed import computed_by
from harness.hls import Dense, Sequential, ranges
from harness.hls.layers.interval import Interval
from harness.report.notebook import SHOWN, table
from harness.types.formats import NumberType, parse_type
from harness.verify import verify
from harness.verify.records import Verdict

EVIL = "<script>alert('&')</script>"


def read(shown: str) -> list[tuple[str, list[list[str]]]]:
    """The titles of the tables, and the texts of their rows; an error where it is no markup."""
    root = ET.fromstring(f"<div>{shown}</div>")
    tags = {element.tag for element in root.iter()}
    assert tags <= {"div", "table", "caption", "b", "thead", "tbody", "tr", "th", "td", "p"}
    return [
        (
            "".join(found.find("caption").itertext()),
            [["".join(cell.itertext()) for cell in row] for row in found.iter("tr")],
        )
        for found in root.iter("table")
    ]


def facts(x: Any) -> tuple[str, dict[str, str]]:
    """The one table of an object, as names and texts."""
    ((title, rows),) = read(x._repr_html_())
    return title, dict(rows)


def test_everything_is_escaped() -> None:
    """Titles, names, texts and notes; a text that looks like markup is text."""
    shown = table(EVIL, [(EVIL, '"<b>bold</b>"')], (EVIL, "b"), EVIL)
    assert "<script" not in shown
    assert "<b>bold" not in shown
    ((title, rows),) = read(shown)
    assert title == EVIL
    assert rows == [[EVIL, "b"], [EVIL, '"<b>bold</b>"']]


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (
            ApFixed(8, 4, rounding="RND", overflow="SAT"),
            {
                "bits": "8: integer 4, fractional 4, signed",
                "range": "-8 to 7.9375",
                "step": "0.0625",
                "codes": "-128 to 127",
                "rounding": "RND: floor(y + 1/2): ties to +infinity",
                "overflow": "SAT: clamp to [min, max]",
            },
        ),
        (ApFixed(8, 4, overflow="WRAP", n=2), {"saturated bits": "2"}),
        (ApInt(4, signed=False), {"range": "0 to 15", "step": "1"}),
        (ApFixed(60, 60), {"range": f"{-(2**59)} to {2**59 - 1}"}),
        (ApFixed(1024, 4), {"codes": "-2**1023 to 2**1023 - 1"}),
        (
            FORMATS["float8_e4m3fn"],
            {
                "bits": "8: sign 1, exponent 4, mantissa 3",
                "range": "-448 to 448",
                "smallest": "0.001953125",
                "specials": "NaN, -0, subnormals",
                "rounding": "NEAREST_EVEN: the nearest; ties to the even significand",
                "overflow": "inf",
            },
        ),
        (MiniFloat(3, 4), {"range": "-240 to 240", "specials": "-0, subnormals"}),
        (VitisFloat(32, 8), {"specials": "infinities, NaN, -0"}),
        (Binary(), {"bits": "1", "range": "-1 to 1"}),
    ],
)
def test_types(t: NumberType, expected: dict[str, str]) -> None:
    """By hand; the title is the C++ spelling, with its brackets."""
    title, found = facts(t)
    assert title == t.cpp
    assert found.items() >= expected.items()


def test_arrays() -> None:
    """Place, exact value and code, of the first elements; the others are counted."""
    x = Fixed.of([[0.25, -1.5], [3.75, 0]], "ap_fixed<6,4>")
    ((title, rows),) = read(x._repr_html_())
    assert title == "ap_fixed<6,4>, shape (2, 2)"
    assert rows == [
        ["place", "value", "code"],
        ["0, 0", "0.25", "1"],
        ["0, 1", "-1.5", "-6"],
        ["1, 0", "3.75", "15"],
        ["1, 1", "0", "0"],
    ]
    many = Fixed(np.zeros((1000, 1000), np.int64), ApFixed(8, 4))._repr_html_()
    assert len(read(many)[0][1]) == 1 + SHOWN
    assert f"and {10**6 - SHOWN:,} more" in many
    assert read(Fixed.of(0.5, "ap_fixed<6,4>")._repr_html_())[0][1][1] == ["", "0.5", "2"]
    assert read(Fixed(np.zeros(0, np.int64), ApFixed(8, 4))._repr_html_())[0][1][1:] == []


def test_wide_arrays() -> None:
    """Codes of more than 64 bits, exactly; and of more bits than any double has."""
    x = Fixed(np.array([2**70 + 1, -1], object), ApFixed(100, 90))
    assert read(x._repr_html_())[0][1][1:] == [
        ["0", "about 1.15292e+18", str(2**70 + 1)],
        ["1", "-0.0009765625", "-1"],
    ]


def test_what_a_solver_computes_with() -> None:
    """Codes that are no integers are shown as they are."""
    with computed_by(None):  # type: ignore[arg-type]  # nobody is asked
        x = Fixed(np.array(["<term>"], object), ApFixed(8, 4))
        assert read(x._repr_html_())[0][1][1] == ["0", "", "<term>"]


def test_intervals() -> None:
    """The ends of all elements, in values."""
    title, found = facts(Interval.of(ApFixed(6, 4), (2, 3)))
    assert title == "interval"
    assert found["lowest"] == "-8"
    assert found["highest"] == "7.75"
    assert found["shape"] == "(2, 3)"
    assert "lowest" not in facts(Interval.of(ApFixed(6, 4), (0,)))[1]


def test_ranges() -> None:
    """A model's table, as it is printed; one layer's; a layer's name is escaped."""
    t, w = ApFixed(3, 2), ApFixed(4, 2)
    weight, bias = Fixed(np.array([[7], [7]]), w), Fixed(np.array([1]), w)
    layer = Dense(weight, bias, input=t, weight_type=w, bias_type=w, accum=w, result=w)
    found = ranges(Sequential(layer))
    ((title, rows),) = read(found._repr_html_())
    assert title == "ranges"
    assert rows[0] == ["layer", "type of", "type", "lowest", "highest", "for all inputs"]
    assert rows[1][:3] == ["dense", "accum", "ap_fixed<4,2>"]
    assert float(rows[1][3]) <= -7 + 0.25
    assert "may overflow" in rows[1][5]
    assert [row[0] for row in rows[1:]] == [line.split()[0] for line in str(found).splitlines()[1:]]
    assert read(found[0]._repr_html_())[0][1] == rows
    assert read(replace(found[0], name=EVIL)._repr_html_())[0][1][1][0] == EVIL


def test_verdicts() -> None:
    """Agreement is a line; a difference has its kinds, the input, and both codes."""
    t = parse_type("ap_fixed<4,2,AP_RND_CONV,AP_SAT>")

    def wrong(x: Any, t: Any) -> Any:
        return quantize_codes(x, t.with_modes(rounding="RND"))

    good = verify(quantize_codes, quantize_codes, [t], lambda _: [0.125, 0.5])
    assert read(good._repr_html_()) == [
        (
            "AGREE: subject and truth, 2 codes",
            [["path", "types", "codes", "differ"], ["double", "1", "2", "0"]],
        )
    ]
    bad = verify(wrong, quantize_codes, [t], lambda _: [0.125, 0.5])
    (head, paths), (title, differences) = read(replace(bad, subject=EVIL)._repr_html_())
    assert head == f"DIFFER: {EVIL} and truth, 2 codes"
    assert paths[1] == ["double", "1", "2", "1"]
    assert title == "what differs"
    assert differences[1] == [
        str(t),
        "1 of 2 differ: 1 tie",
        "0x1.0000000000000p-3 = 0.125, a tie: halfway between code 0 (0) and code 1 (0.25)",
        "code 1 (0.25)",
        "code 0 (0)",
    ]
    assert read(Verdict((), ())._repr_html_())[0][0].startswith("NOTHING COMPARED")


def test_nothing_is_imported_before() -> None:
    """The core stays light: a notebook's page is made by a module that only it loads."""
    program = (
        "import sys, harness; t = harness.ApFixed(8, 4); x = harness.Fixed.of(0.5, t)\n"
        "assert 'harness.report.notebook' not in sys.modules\n"
        "assert 'ap_fixed' in t._repr_html_() and '0.5' in x._repr_html_()\n"
        "assert not {'rich', 'torch', 'cppyy', 'harness.verify'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
