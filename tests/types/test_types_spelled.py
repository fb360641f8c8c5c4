"""A spelling serves wherever a type does."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import harness
from harness import ApFixed, MiniFloat, parse_type, reference, testing
from harness.explain import account
from harness.hls import Dense
from harness.nn import fake_quantize
from harness.nn.observers import MinMax
from harness.oracle import Oracle
from harness.oracle.domain import domain
from harness.types import as_fixed_type, as_number_type
from harness.verify import run, verify

SPELLED = "ap_fixed<8,4,AP_RND,AP_SAT>"
FLOAT = "ap_float<3,4,0>"
X = np.array([1.53, -9.0, 0.03125])
CODES = [24, -128, 1]


def observed() -> MinMax:
    """An observer that has seen the values."""
    observer = MinMax()
    observer.observe(torch.tensor(X))
    return observer


#: Everything that takes a type and no compiler, given an array of its currency.
USES: dict[str, Callable[[Any], Any]] = {
    "quantize": lambda t: harness.quantize(X, t),
    "quantize_codes": lambda t: harness.quantize_codes(X, t),
    "decode": lambda t: harness.decode(CODES, t),
    "cast_codes to": lambda t: harness.cast_codes([3, -4], ApFixed(4, 2), t),
    "cast_codes from": lambda t: harness.cast_codes(CODES, t, ApFixed(4, 2)),
    "compute_codes": lambda t: harness.compute_codes("*", CODES, t, [3, -4, 1], "ap_int<4>"),
    "result_type": lambda t: str(harness.result_type("+", t, t)),
    "result_type of one": lambda t: str(harness.result_type("neg", t)),
    "to_hex": lambda t: harness.to_hex(CODES, t),
    "from_bits": lambda t: harness.from_bits([255], t),
    "torch": lambda t: harness.quantize(torch.tensor(X), t),
    "reference": lambda t: [reference.from_double(v, t) for v in X.tolist()],
    "reference.from_int": lambda t: [reference.from_int(9, t), reference.from_exact("1/3", t)],
    "reference.decode": lambda t: [reference.decode(c, t) for c in CODES],
    "reference.cast": lambda t: reference.cast(24, t, "ap_fixed<4,2>"),
    "reference.compute": lambda t: reference.compute("/", 24, t, 3, "ap_int<4>"),
    "reference.assign": lambda t: reference.assign("+", 3, "ap_int<4>", 24, t),
    "reference.accumulate": lambda t: reference.accumulate("+", 0, "ap_int<4>", [24, 25], t),
    "reference.quirks": lambda t: reference.quirks(-8.03, t),
    "reference.cast_quirks": lambda t: reference.cast_quirks(Fraction(-1), "ap_fixed<4,0>", t),
    "reference.operator_quirks": lambda t: reference.operator_quirks("/", -128, t, -1, t),
    "observer": lambda t: str(observed().fixed(t)),
    "fake_quantize": lambda t: fake_quantize(torch.tensor(X), t),
    "FixedQuantizer": lambda t: harness.nn.FixedQuantizer(t)(torch.tensor(X)),
    "assert_bit_exact": lambda t: testing.assert_bit_exact(
        harness.quantize, t, X, truth=harness.quantize_codes
    ),
    "verify": lambda t: verify(harness.quantize, harness.quantize_codes, [t]).agrees,
    "verify one": lambda t: str(verify(harness.quantize, harness.quantize_codes, [t]).tallies),
    "values_for": lambda t: str(testing.values_for(t).validate()),
    "codes": lambda t: str(testing.codes(t)),
    "pool": lambda t: str(testing.ap_types(pool=[t])),
    "Dense": lambda t: str(
        Dense(np.eye(2), input=t, weight_type=t, bias_type=t, accum=t, result=t)
    ),
    "idempotent": lambda t: str(as_fixed_type(as_number_type(t))),
}


def plain(found: Any) -> Any:
    return found.tolist() if hasattr(found, "tolist") else found


@pytest.mark.parametrize("use", USES)
def test_a_spelling_is_its_type(use: str) -> None:
    """The same answer for the record and for each way to write it."""
    expected = plain(USES[use](parse_type(SPELLED)))
    for text in (SPELLED, "fixed<8,4,RND,SAT>", "(1,3,4,RND,SAT)"):
        assert plain(USES[use](text)) == expected


def test_the_oracle(oracle: Oracle) -> None:
    """Every method of the oracle, the explanation and the profile."""
    assert oracle.codes(X, SPELLED).tolist() == CODES
    assert oracle.cast(CODES, SPELLED, "ap_fixed<8,4>").tolist() == CODES
    t = "ap_fixed<8,4>"
    assert oracle.compute("+", [59], t, [59], t).tolist() == [118]
    assert oracle.assign("+", [59], t, [59], t).tolist() == [118]
    assert oracle.accumulate("+", 0, t, [59, 59, 59], t).tolist()[-1] / 16 == -4.9375
    assert oracle.activate("binary_tanh", CODES, t).tolist() == [1, 0, 1]
    assert account(0.5, t, oracle).agrees
    assert run(types=[t, FLOAT], oracle=oracle).agrees
    with pytest.raises(TypeError, match="is no fixed-point type"):
        oracle.assign("+", [1], FLOAT, [1], t)


def test_floats() -> None:
    """Likewise."""
    mantissa, exponent = harness.decompose(X, FLOAT)
    assert (mantissa * 2.0**exponent).tolist() == harness.quantize(X, MiniFloat(3, 4)).tolist()
    assert domain(FLOAT, "ap_fixed<8,4>") == domain(MiniFloat(3, 4), ApFixed(8, 4))
    assert verify(harness.quantize, harness.quantize_codes, "float8_e4m3fn").agrees


@pytest.mark.parametrize("t", [None, 8, b"ap_fixed<8,4>", float, [SPELLED], np.float32, ApFixed])
def test_what_is_no_type(t: Any) -> None:
    """A TypeError in one line; text that spells none is a ValueError."""
    for use in ("quantize", "decode", "result_type", "reference", "assert_bit_exact", "codes"):
        with pytest.raises(TypeError, match="is no type"):
            USES[use](t)
    with pytest.raises(ValueError, match="cannot read a type"):
        harness.quantize(X, "nonsense")


@pytest.mark.parametrize("text", ["0.1", " 1e-3"])
def test_a_decimal_that_is_no_double(oracle: Oracle, text: str) -> None:
    """The account says that it is of the nearest double; of a double it says no such thing."""
    told = account(text, SPELLED, oracle)
    assert told.rows[0] == ("given", f"{text.strip()}, of which C++ takes the nearest double")
    assert told.rows[1:] == account(float(text), SPELLED, oracle).rows
    assert account("0.5", SPELLED, oracle) == account(0.5, SPELLED, oracle)
