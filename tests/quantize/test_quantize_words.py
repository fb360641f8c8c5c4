"""Raw words and hexadecimal text of codes, both ways."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness import (
    FORMATS,
    TERNARY,
    ApFixed,
    ApInt,
    Binary,
    MiniFloat,
    cast_codes,
    compute_codes,
    decode,
    from_bits,
    from_hex,
    quantize,
    quantize_codes,
    reference,
    to_bits,
    to_hex,
)
from harness.testing import any_ap_types, any_float_types, codes

T = ApFixed(8, 4)


@given(data=st.data(), t=any_ap_types(max_width=130) | any_float_types())
def test_both_ways(data: st.DataObject, t: Any) -> None:
    """A word is the code modulo 2**W, its text has all the digits, and both come back."""
    drawn = data.draw(st.lists(codes(t), min_size=1, max_size=4), label="codes")
    words = [code % 2**t.width for code in drawn]
    assert to_bits(drawn, t).tolist() == words
    assert to_hex(drawn, t).tolist() == [f"{word:0{-(-t.width // 4)}x}" for word in words]
    expected = drawn if t.width > 64 else np.array(words, np.uint64).view(np.int64).tolist()
    if t.width < 64:
        expected = drawn
    assert from_bits(words, t).tolist() == expected
    assert from_hex(to_hex(drawn, t), t).tolist() == expected


@pytest.mark.parametrize(
    ("t", "code", "word", "text"),
    [
        (T, -1, 255, "ff"),
        (ApFixed(10, 4), -512, 512, "200"),
        (ApInt(64), -1, 2**64 - 1, "f" * 16),
        (ApFixed(65, 3), -(2**64), 2**64, "1" + 16 * "0"),
        (MiniFloat(3, 4), 255, 255, "ff"),
        (FORMATS["bfloat16"], 0x8000, 0x8000, "8000"),
        (Binary(), 1, 1, "1"),
        (TERNARY, -1, 3, "3"),
    ],
    ids=str,
)
def test_scalars(t: Any, code: int, word: int, text: str) -> None:
    """One code of each family; a scalar in, a scalar out; a spelling serves as the type."""
    assert int(to_bits(code, t)) == word
    assert int(from_bits(word, t)) == code
    assert to_hex(code, t) == text
    assert int(from_hex(f"0x{text.upper()}", t)) == code
    assert np.ndim(to_bits(code, t)) == np.ndim(from_bits(word, t)) == 0


def test_shapes_and_dtypes() -> None:
    """Shapes stay; words are uint64 or Python integers; unsigned 64-bit words are int64 codes."""
    array = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)[:, ::2]
    assert to_bits(array, "ap_fixed<8,4>").dtype == np.uint64
    assert np.array_equal(from_bits(to_bits(array, T), T), array)
    assert to_hex(array, T).shape == from_hex(to_hex(array, T), T).shape == (3, 2)
    assert to_bits(np.zeros((0, 3), int), T).shape == (0, 3)
    assert from_hex(np.zeros((2, 0), "U2"), T).shape == (2, 0)
    u64 = ApFixed(64, 64, signed=False)
    assert from_bits([2**64 - 1], u64).tolist() == [-1]
    assert to_bits(np.array([-1]), u64).tolist() == [2**64 - 1]


def test_tensors() -> None:
    """A tensor gives an int64 tensor; its text is an array."""
    x = torch.tensor([[-128, 127], [-1, 0]], dtype=torch.int16)
    words = to_bits(x, T)
    assert words.dtype == torch.int64
    assert words.tolist() == [[128, 127], [255, 0]]
    assert torch.equal(from_bits(words, T), x.long())
    assert to_hex(x, T).tolist() == [["80", "7f"], ["ff", "00"]]
    wide = torch.tensor([-1])
    assert from_bits(to_bits(wide, ApInt(64)), ApInt(64)).tolist() == [-1]
    with pytest.raises(ValueError, match="at most 64 bits"):
        to_bits(x, ApFixed(65, 65))


@pytest.mark.parametrize(
    "call",
    [
        lambda: decode([240], T),
        lambda: cast_codes([240], T, T),
        lambda: compute_codes("neg", [240], T),
        lambda: to_bits(240, T),
        lambda: to_hex([240], T),
        lambda: decode(torch.tensor([240]), T),
        lambda: reference.decode(240, T),
    ],
)
def test_a_word_for_a_code(call: Callable[[], Any]) -> None:
    """Whoever is given a word where a code belongs says what reads it."""
    message = (
        r"^240 is not a code of ap_fixed<8,4>: -128 to 127; a raw word\? from_bits\(words, t\)"
    )
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_bits([-1], T), "-1 is no word of 8 bits: 0 to 255; a code\\? to_bits"),
        (lambda: from_bits([256], T), "256 is no word of 8 bits"),
        (lambda: from_bits(10**400, T), "about 2\\*\\*1328 is no word"),
        (lambda: from_hex("100", T), "256 is no word of 8 bits"),
        (lambda: from_hex(["-1"], T), "'-1' is no hexadecimal word"),
        (lambda: from_hex(["xx"], T), "'xx' is no hexadecimal word"),
        (lambda: from_hex("", T), "'' is no hexadecimal word"),
        (lambda: from_hex([0x10], T), "hexadecimal words are text, not 16"),
        (lambda: from_hex(b"10", T), "hexadecimal words are text, not b'10'"),
        (lambda: from_hex(None, T), "hexadecimal words are text, not None"),
        (lambda: to_bits([1.0], T), "codes must be integers, not float64"),
        (lambda: to_bits(["1"], T), "codes must be integers, not Fraction"),
        (lambda: decode([10**400], T), "about 2\\*\\*1328 is not a code"),
        (lambda: to_bits([1], ApFixed), "is no type"),
        (lambda: to_bits(torch.tensor([0.5]), T), "codes must be integers"),
    ],
)
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    """In one line, whatever it is."""
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_words_and_codes_are_apart() -> None:
    """The word 240 and the code -16 are the value -1; as a code it would be another one."""
    assert from_bits([240], T).tolist() == quantize_codes([-1.0], T).tolist() == [-16]
    assert decode(from_bits([240], T), T).tolist() == quantize([-1.0], T).tolist() == [-1.0]
