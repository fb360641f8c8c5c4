"""Every way to compute a sum is its definition: one step after the other, in the accumulator."""

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls.layers.accumulate import (
    accumulate,
    affine,
    affine_path,
    affine_steps,
    tell,
    watched,
)
from harness.hls.layers.dense import resource_order
from harness.hls.proof.draw import Draw
from harness.quantize import cast_codes, compute_codes
from harness.testing import any_ap_types
from harness.types import result_type

seeds = st.integers(0, 2**32 - 1)


def codes(t, shape, rng):
    """Small codes, large codes and the ends."""
    return Draw(*rng.integers(1 << 32, size=2).tolist()).codes(t, shape)


@settings(max_examples=150)
@given(
    x=any_ap_types(max_width=24),
    w=any_ap_types(max_width=24),
    b=any_ap_types(max_width=24),
    accum=any_ap_types(max_width=40),
    seed=seeds,
    ordered=st.booleans(),
)
def test_affine_is_its_steps(x, w, b, accum, seed, ordered):
    rng = np.random.default_rng(seed)
    n_in, n_out = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    parts = codes(x, (5, n_in), rng), codes(w, (n_in, n_out), rng), codes(b, (n_out,), rng)
    order = np.array([rng.permutation(n_in) for _ in range(n_out)]) if ordered else None
    fast, slow = affine(*parts, accum, order), affine_steps(*parts, accum, order)
    assert fast.type == slow.type == accum
    np.testing.assert_array_equal(fast.codes, slow.codes)


def by_integers(x, w, b, accum, order):
    """The definition of an accumulator on Python integers, no two words of which are computed."""
    rows, (n_in, n_out) = x.shape[0], w.shape
    product, total = result_type("*", x.type, w.type), result_type("+", accum, accum)
    out = np.empty((rows, n_out), object)
    for r, j in np.ndindex(rows, n_out):
        acc = cast_codes(b.codes[j], b.type, accum)
        for k in range(n_in) if order is None else order[j]:
            term = compute_codes("*", x.codes[r, k], x.type, w.codes[k, j], w.type)
            term = cast_codes(term, product, accum)
            acc = cast_codes(compute_codes("+", acc, accum, term, accum), total, accum)
        out[r, j] = acc
    return out


@settings(max_examples=150)
@given(
    x=any_ap_types(max_width=70),
    w=any_ap_types(max_width=64),
    b=any_ap_types(max_width=80),
    accum=any_ap_types(max_width=128).filter(lambda t: t.width > 48),
    seed=seeds,
    ordered=st.booleans(),
)
def test_wide_sums_are_those_of_python_integers(x, w, b, accum, seed, ordered):
    rng = np.random.default_rng(seed)
    n_in, n_out = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    parts = codes(x, (3, n_in), rng), codes(w, (n_in, n_out), rng), codes(b, (n_out,), rng)
    order = np.array([rng.permutation(n_in) for _ in range(n_out)]) if ordered else None
    event(affine_path(x, parts[1], parts[2], accum))
    expected = by_integers(*parts, accum, order)
    for found in (affine(*parts, accum, order), affine_steps(*parts, accum, order)):
        assert found.codes.tolist() == expected.tolist()


PATHS = {
    "exact": ("ap_fixed<40,20>", 1.0),
    "exact: for it cannot saturate": ("ap_fixed<40,20,AP_RND,AP_SAT>", 1.0),
    "wrap": ("ap_fixed<16,6,AP_RND_CONV,AP_WRAP>", 1.0),
    "sat": ("ap_fixed<12,3,AP_RND,AP_SAT>", 1.0),
    "sat: finer than the products": ("ap_fixed<28,3,AP_RND,AP_SAT>", 1.0),
    "steps": ("ap_fixed<12,3,AP_RND_ZERO,AP_WRAP_SM>", 1.0),
    "two words": ("ap_fixed<64,50,AP_RND,AP_SAT>", 1.0),
    "two words, exact": ("ap_fixed<69,37>", 1.0),
    "two words, exact: for it cannot saturate": ("ap_fixed<69,37,AP_RND,AP_SAT>", 1.0),
    "two words: wrapping": ("ap_fixed<69,60,AP_RND_CONV,AP_WRAP>", 1.0),
    "two words: by steps": ("ap_fixed<96,90,AP_RND_ZERO,AP_WRAP_SM>", 1.0),
    "wide": ("ap_fixed<128,60,AP_RND,AP_SAT>", 1.0),
}


@pytest.mark.parametrize("name", PATHS)
def test_each_path_is_taken_and_is_the_steps(name):
    accum, scale = ApFixed.parse(PATHS[name][0]), PATHS[name][1]
    rng = np.random.default_rng(7)
    t = ApFixed(16, 6)
    x = Fixed.of(rng.normal(size=(200, 24)) * 4 * scale, t)
    w, b = Fixed.of(rng.normal(size=(24, 6)), t), Fixed.of(rng.normal(size=6), t)
    assert affine_path(t, w, b, accum) == name.split(":", maxsplit=1)[0]
    np.testing.assert_array_equal(affine(x, w, b, accum).codes, affine_steps(x, w, b, accum).codes)


@pytest.mark.parametrize(
    ("x", "w", "b", "accum"),
    [
        # The products, unsigned and signed; the accumulator's start; its finer LSB.
        (Fixed(np.full((1, 64), (1 << 30) - 1), ApFixed(30, 30, signed=False)), 24, 0, 60),
        (Fixed(np.full((1, 64), -(1 << 29)), ApFixed(30, 30)), 24, 1, 60),
        (Fixed(np.full((1, 64), (1 << 29) - 1), ApFixed(30, 30)), 24, 1, 40),  # of a narrow start
        (Fixed(np.array([[1]]), ApFixed(8, 8)), 8, (1 << 58) + 1, 60),
        (Fixed(np.array([[-1]]), ApFixed(8, 8)), 8, 1 - (1 << 59), 60),
        (Fixed(np.full((1, 2), (1 << 23) - 1), ApFixed(24, 24)), 24, 1, ApFixed(60, 54)),
    ],
)
def test_no_sum_beyond_the_whole_numbers_of_a_double_goes_through_one(x, w, b, accum):
    accum = accum if isinstance(accum, ApFixed) else ApFixed(accum, accum)
    t, start = ApFixed(w, w), Fixed(np.array([b]), ApFixed(60, 60))
    weights = Fixed(np.full((x.shape[1], 1), (1 << (w - 1)) - 1), t)
    assert affine_path(x.type, weights, start, accum) == "wrap"
    found, steps = affine(x, weights, start, accum), affine_steps(x, weights, start, accum)
    assert found.codes.tolist() == steps.codes.tolist()


def test_sums_over_the_last_of_three_axes():
    t = ApFixed(6, 6)
    terms = np.arange(24).reshape(2, 3, 4) - 12
    assert accumulate(Fixed(0, t), Fixed(terms, t)).codes.tolist() == [
        [-42 + 64, -26, -10],
        [6, 22, 38 - 64],
    ]


def test_a_product_alone_may_saturate_where_no_sum_does():
    # 7 * 7 = 49 leaves <6,6>, though -31 + 49 does not: the product is converted before.
    t, accum = ApFixed(4, 4), ApFixed(6, 6, overflow="SAT")
    x, w = Fixed(np.array([[7]]), t), Fixed(np.array([[7]]), t)
    b = Fixed(np.array([-31]), ApFixed(6, 6))
    assert affine(x, w, b, accum).codes.tolist() == [[31 - 31]]


def test_the_order_of_a_saturating_sum_matters():
    t, accum = ApFixed(5, 5), ApFixed(5, 5, overflow="SAT")
    x = Fixed(np.array([[10, 10, -10]]), t)
    w, b = Fixed(np.ones((3, 1), np.int64), t), Fixed(np.zeros(1, np.int64), t)
    assert affine(x, w, b, accum).codes.item() == 15 - 10
    last_first = np.array([[2, 1, 0]])
    assert affine(x, w, b, accum, last_first).codes.item() == 10


def test_a_default_accumulator_truncates_every_product():
    # 3 * 0.00390625 is 3 * 2**-8: each product of 2**-8 is below the LSB of <8,4>, and is lost.
    t, accum = ApFixed(16, 4), ApFixed(8, 4)
    x, w = Fixed.of(np.full((1, 100), 2.0**-4), t), Fixed.of(np.full((100, 1), 2.0**-4), t)
    b = Fixed.of(np.zeros(1), t)
    assert affine(x, w, b, accum).codes.item() == 0
    negative = Fixed(-x.codes, t)
    assert affine(negative, w, b, accum).codes.item() == -100  # floor: one LSB down each


@settings(max_examples=100)
@given(accum=any_ap_types(max_width=128), term=any_ap_types(max_width=80), seed=seeds)
def test_accumulate_is_its_steps(accum, term, seed):
    rng = np.random.default_rng(seed)
    start, terms = codes(accum, (3,), rng), codes(term, (3, 9), rng)
    total, slow = result_type("+", accum, term), start.codes
    for k in range(9):
        slow = cast_codes(compute_codes("+", slow, accum, terms.codes[:, k], term), total, accum)
    assert accumulate(start, terms).codes.tolist() == slow.tolist()


def test_who_watches_sees_the_ends_of_every_accumulator():
    t = ApFixed(8, 8)
    x, w = Fixed(np.array([[3, -5]]), t), Fixed(np.array([[10], [10]]), t)
    b = Fixed(np.array([1]), t)
    with watched() as seen:
        affine(x, w, b, ApFixed(16, 16))
    assert seen == [(-50, 31)]
    with watched() as seen:
        accumulate(Fixed(0, t), Fixed(np.array([4, -9, 2]), t))
    assert seen == [(-9, 4)]
    with watched() as seen:
        tell(Fixed(np.array([4, -9, 2]), t))
        tell(Fixed(np.array([], np.int64), t))
    assert seen == [(-9, 4)]


@pytest.mark.parametrize(("n_in", "n_out", "reuse"), [(5, 2, 3), (4, 2, 0), (4, 2, 9), (6, 4, 4)])
def test_reuse_factors_that_the_kernel_cannot_take_are_refused(n_in, n_out, reuse):
    with pytest.raises(ValueError, match=f"reuse factor {reuse} does not fit {n_in} inputs"):
        resource_order(n_in, n_out, reuse)


def test_the_order_of_the_reuse_loop():
    assert resource_order(4, 2, 2).tolist() == [[0, 2, 1, 3]] * 2
    assert resource_order(2, 3, 3).tolist() == [[0, 1], [1, 0], [0, 1]]
