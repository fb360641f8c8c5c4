"""The headers' warnings, one for each element, are not the user's."""

import numpy as np
import pytest

from harness.oracle import Oracle


@pytest.mark.parametrize("x", [[1.5, 1.25], [np.nan, 0.0], [np.inf, 1.0]])
@pytest.mark.parametrize("t", ["ap_int<8>", "ap_fixed<8,4>"])
def test_numbers_are_taken_silently(oracle: Oracle, x, t, capfd) -> None:
    """Doubles from 1 to 2, which an ap_int takes for NaN in a warning, and what is not finite."""
    assert oracle.codes(np.array(x), t).shape == (2,)
    assert capfd.readouterr().err == ""


def test_a_reversed_range_is_silent(oracle: Oracle, capfd) -> None:
    """Bits in reverse order are the bits, in reverse order, and no warning."""
    codes = oracle.compute("range", [0b0011], "ap_fixed<4,2>", (0, 3))
    assert [int(code) for code in codes] == [0b1100]
    assert capfd.readouterr().err == ""
