"""Lookup tables: entry by entry what the C++ initialisers make, and how kernels find entries."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed
from harness.hls import Fixed
from harness.hls.layers.tables import (
    ACTIVATIONS,
    activation_table,
    check_slices,
    exp_table,
    index_values,
    invert_sqr_table,
    invert_table,
    multiple,
    multiple_steps,
    sliced,
    whole,
    whole_steps,
    within,
)
from harness.oracle.layers import LayerKernel
from harness.types import Overflow, Rounding

DEFAULT = ApFixed(18, 8)
SATURATING = ApFixed(18, 8, rounding=Rounding.RND, overflow=Overflow.SAT)
#: The last shows every bit of a float, the others lose bits and overflow.
TYPES = (DEFAULT, ApFixed(6, 1, rounding=Rounding.RND_CONV), ApFixed(9, 4, False), ApFixed(60, 15))
#: What the C library's functions make of hls4ml's own sizes and types.
RECORD = {
    "sigmoid": "72d39adfc0e8b12191b23d864834696413cdeba6ee8737441599bbaadde12c11",
    "tanh": "b89d40c1332ad453fe178f8b4d6b0074722904605091a190aa9b7c36118d030a",
    "softplus": "c6db0c6e5562bb4e05047694c0dd3ea2562c25508f623909120bf99dfe3265d9",
    "softsign": "489fc4192ed598e4e88837f5ee9289066a294395f053806209bcf9352c0326a1",
    "elu": "304fbb78907f13237ae63cfcb3b73f781254b83f7329e9219bc0a2ceb879c308",
    "selu": "631f0377fbcefac9340941ff737473e9d1be386195ce3a6e4ca230a495304b4d",
    "exp_legacy": "be2d2cc372de2db26ff160bbf209ae3deadb4e9a7fb0a7111b06e2515efcc981",
    "invert_legacy": "3d09e934292050783205ec7d0e88b26b113900cd778d00e4fd3fcef16ed296a6",
    "exp": "5f701f730e71314397b0c21e051cf2de9ed764bc703079a9de49567378ff69fb",
    "exp, negative": "1ac1d40d9753402d12296ca5c77b3c3867c9afae5485a03a35f06211e06a4b49",
    "invert": "b5423b2a35cdffed8051b1771a642f772a11befa0e98e3e581a4020a7331ac80",
    "invert_sqr": "c68b16c7872779557b314fee07a44ef7e9b0f296c5329ab4dd3f5d3166496afb",
}


def pinned(name):
    special = {
        "exp": lambda: exp_table(ApFixed(16, 6), 1024, SATURATING, 1.0, False),
        "exp, negative": lambda: exp_table(ApFixed(15, 5, False), 1024, SATURATING, 1.0, True),
        "invert": lambda: invert_table(SATURATING, 1024, SATURATING),
        "invert_sqr": lambda: invert_sqr_table(
            4096, ApFixed(8, 5, False, Rounding.RND_CONV, Overflow.SAT), 3, 0
        ),
    }
    return special[name]() if name in special else activation_table(name, 1024, DEFAULT)


SIZES = (1024, 1000, 1, 4096)
SLICES = ((ApFixed(16, 6), 1024), (ApFixed(10, 3, False), 1024), (ApFixed(40, 8), 2))
SCALES = ((1, 0), (3, -2), (-5, -3), (1, 3))


def kernels():
    """The kernels that write tables, by what they are told, with the tables of Python."""
    for name in ACTIVATIONS:
        for size, t in zip(SIZES, TYPES, strict=True):
            yield name, (f"{name}_table", t, size), activation_table(name, size, t)
    for index, size in SLICES:
        for t, (mantissa, exponent) in zip(TYPES, SCALES, strict=True):
            negative = t is TYPES[0] or index is SLICES[1][0]
            told = ("exp_table", index, t, size, mantissa, exponent, negative)
            yield "exp", told, exp_table(index, size, t, mantissa * 2.0**exponent, negative)
            yield "invert", ("invert_table", index, t, size), invert_table(index, size, t)
    for size, t, (epsilon, reach) in zip(
        SIZES, TYPES, ((3, 0), (0, 5), (9, 10), (3, 0)), strict=True
    ):
        told = ("invert_sqr_table", t, size, epsilon, reach)
        yield "invert_sqr", told, invert_sqr_table(size, t, epsilon, reach)


@pytest.fixture(scope="module")
def tables(oracle):
    """Tables of Python and of C++, compiled together."""
    found = [(n, LayerKernel("layers/tables.h", *_split(told)), t) for n, told, t in kernels()]
    for _ in oracle.compile([kernel for _, kernel, _ in found]):
        pass
    nothing = np.zeros((1, 1), np.int64)
    return [(n, k, t, oracle.layer(k, nothing, nothing[0], len(t))[0]) for n, k, t in found]


def _split(told):
    return told[0], tuple(told[1:])


@pytest.mark.parametrize("name", RECORD)
def test_the_c_library_makes_the_tables_of_the_record(name):
    codes = pinned(name).codes.astype("<i8").tobytes()
    assert hashlib.sha256(codes).hexdigest() == RECORD[name], (
        "a C library whose exp, log, tanh or pow differ: tables, and all results from them, are "
        "those of this library, in Python and in C++ alike"
    )


@pytest.mark.parametrize("name", [*ACTIVATIONS, "exp", "invert", "invert_sqr"])
def test_a_table_is_that_of_the_kernel(name, tables):
    mine = [(kernel, table, theirs) for n, kernel, table, theirs in tables if n == name]
    assert len(mine) >= 4
    for kernel, table, theirs in mine:
        assert np.array_equal(table.codes, theirs), kernel.cpp


def test_tables_hold_the_function_at_the_lower_end_of_each_step():
    assert activation_table("sigmoid", 1024, DEFAULT).values()[512] == 0.5
    assert activation_table("tanh", 1024, ApFixed(40, 8)).values()[512 + 128] == float(
        np.float32(np.tanh(1.0))
    )
    assert activation_table("elu", 8, ApFixed(18, 8)).values()[0] == 0
    assert activation_table("invert_legacy", 64, DEFAULT).values()[:3].tolist() == [0, 1, 0.5]


def test_one_over_zero_is_converted_from_infinity():
    assert invert_table(SATURATING, 1024, SATURATING).codes[0] == SATURATING.max_code
    assert invert_table(SATURATING, 1024, DEFAULT).codes[0] == 0


def test_the_values_of_numbers_come_in_the_order_of_their_bits():
    assert index_values(ApFixed(8, 3), 4).tolist() == [0, 2, -4, -2]
    assert index_values(ApFixed(8, 3, False), 4).tolist() == [0, 2, 4, 6]


def test_top_bits_are_cut_not_rounded():
    t = ApFixed(8, 3)
    x = Fixed(np.array([0, 63, 64, 127, -128, -1]), t)
    assert sliced(x, 4).tolist() == [0, 0, 1, 1, 2, 3]
    wide = ApFixed(70, 3)
    y = Fixed(x.codes.astype(object) << 62, wide)
    assert sliced(y, 4).tolist() == [0, 0, 1, 1, 2, 3]
    assert sliced(y, 8).tolist() == [0, 1, 2, 3, 4, 7]


def test_tables_must_not_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        activation_table("sigmoid", 16, DEFAULT).codes[0] = 1


@pytest.mark.parametrize(
    ("index", "size", "why"),
    [
        (ApFixed(8, 3), 512, r"layer: the top bits of .* do not number .* 2 to 2\*\*8"),
        (ApFixed(8, 3), 48, "powers of two"),
        (ApFixed(8, 3), 1, "powers of two"),
        (ApFixed(8, 3), 0, "1 to 16777216 entries, not 0"),
        (ApFixed(8, 200), 16, "no normal float"),
        (ApFixed(8, -140), 16, "no normal float"),
    ],
)
def test_numbers_that_a_type_does_not_have(index, size, why):
    with pytest.raises(ValueError, match=why):
        check_slices(index, size, "layer")


@given(st.data())
def test_bits_dropped_at_once_are_those_dropped_in_steps(data):
    width = data.draw(st.integers(1, 40))
    t = ApFixed(width, data.draw(st.integers(-20, 60)), data.draw(st.booleans()))
    codes = st.integers(t.min_code, t.max_code) | st.sampled_from([t.min_code, t.max_code])
    x = Fixed(np.array(data.draw(st.lists(codes, min_size=1, max_size=8))), t)
    size, divisor = data.draw(st.integers(1, 1 << 20)), data.draw(st.sampled_from([8, 16, 64, -8]))
    found = whole(x, size, divisor)
    assert np.array_equal(found, whole_steps(x, size, divisor))
    factor = 1 << data.draw(st.integers(0, 30))
    assert np.array_equal(multiple(x, size, factor), multiple_steps(x, size, factor))
    # Of a type without bits below the point the quotient loses bits above it.
    exact = [
        int(Fraction(code) * size / divisor / Fraction(2) ** t.frac) for code in x.codes.tolist()
    ]
    if t.frac >= 0 and all(-(1 << 31) <= v < 1 << 31 for v in exact):
        assert found.tolist() == exact


def test_an_entrys_number_wraps_as_an_int_does():
    top = (1 << 31) - 1
    assert within(np.array([-600, -512, 0, 511, 600, top]), 512, 1024).tolist() == [
        0,
        0,
        512,
        1023,
        1023,
        0,
    ]
