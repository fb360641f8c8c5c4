"""``min``, ``max``, ``lsb`` and ``smallest``: floats where a double is that number."""

from fractions import Fraction

import numpy as np
import pytest

from harness.types import FORMATS, ApFixed, ApInt, Binary, IeeeFloat, MiniFloat, VitisFloat
from harness.types.formats import NumberType, parse_type

ENDS = [
    (ApFixed(8, 4), "min", -8.0),
    (ApFixed(8, 4), "max", 7.9375),
    (ApFixed(8, 4), "lsb", 0.0625),
    (ApFixed(5, 10, signed=False), "max", 992.0),
    (ApInt(8), "min", -128.0),
    (ApInt(8, signed=False), "lsb", 1.0),
    (ApFixed(54, 54), "max", 2.0**53 - 1),
    (ApFixed(64, 64), "min", -(2.0**63)),
    (ApFixed(1, 1075), "min", None),  # -2**1074
    (ApFixed(8, -1066), "lsb", 2.0**-1074),
    (ApFixed(8, -1067), "lsb", None),  # a double has none that small
    (MiniFloat(3, 4), "max", 240.0),
    (MiniFloat(3, 4), "smallest", 2.0**-10),
    (MiniFloat(3, 4, 2000), "max", None),
    (FORMATS["float8_e4m3fn"], "min", -448.0),
    (FORMATS["float16"], "smallest", 2.0**-24),
    (IeeeFloat(11, 52), "max", np.finfo(np.float64).max),
    (IeeeFloat(11, 53), "max", None),
    (IeeeFloat(15, 10), "smallest", None),
    (VitisFloat(80, 16), "min", None),
    (Binary(), "min", -1.0),
    (Binary(), "max", 1.0),
]


@pytest.mark.parametrize(("t", "name", "value"), ENDS, ids=str)
def test_ends(t: NumberType, name: str, value: float | None) -> None:
    """A float, equal to the fraction; else one line that names the type and the fraction."""
    exact = getattr(t, f"{name}_exact")
    assert type(exact) is Fraction
    if value is None:
        with pytest.raises(ValueError, match=r"has no exact float") as caught:
            getattr(t, name)
        assert str(caught.value) == f"{t}'s {name} has no exact float; {name}_exact is a Fraction"
    else:
        assert type(getattr(t, name)) is float
        assert (getattr(t, name), exact) == (value, Fraction(value))


def test_the_line() -> None:
    """As it is read by who meets it."""
    with pytest.raises(ValueError, match=r"^ap_fixed<60,60>'s max has no exact float; max_exact"):
        _ = ApFixed(60, 60).max


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_clip(dtype: type) -> None:
    """NumPy takes the ends, and the array keeps its dtype."""
    t = parse_type("ap_fixed<8,4>")
    found = np.clip(np.array([-9, 0.5, 9], dtype), t.min, t.max)
    assert found.dtype == dtype
    assert found.tolist() == [-8.0, 0.5, 7.9375]


def test_floats_are_as_exact() -> None:
    """Whatever is given as a float is the fraction."""
    for width in range(1, 70):
        t = ApFixed(width, 3, signed=False)
        fits = width <= 53
        if fits:
            assert Fraction(t.max) == t.max_exact
        else:
            with pytest.raises(ValueError, match="max_exact"):
                _ = t.max
        assert (t.min, t.lsb) == (0.0, 2.0 ** (3 - width))
