"""Raw words: the bits of a code as an unsigned integer, or as hexadecimal text.

A word is what stands in a register, a memory file or a waveform.  A code of a signed type is its
word read in two's complement; codes of other types are their words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.quantize.codes import check_codes, like
from harness.quantize.wide import map_codes
from harness.types import ApInt, NumberType, as_number_type, brief, is_tensor, shown

__all__ = ["from_bits", "from_hex", "to_bits", "to_hex"]

_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)")


def to_bits(codes: Any, t: NumberType | str) -> Any:
    """The words of ``codes``, in their shape: ``uint64``, Python integers beyond 64 bits.

    A tensor gives an ``int64`` tensor, in which a word of 64 bits is the integer with these bits.

    Raises:
        TypeError: if ``codes`` are not integers.
        ValueError: if an element is not a code of ``t``, or for a tensor and more than 64 bits.
    """
    t = as_number_type(t)
    if is_tensor(codes):
        return _on_tensor(to_bits, codes, t)
    array = check_codes(codes, t)
    mask = (1 << t.width) - 1
    if t.width > 64:
        return like(map_codes(lambda c: int(c) & mask, array), codes)
    return like(array.view(np.uint64) & np.uint64(mask), codes)


def from_bits(words: Any, t: NumberType | str) -> Any:
    """The codes that have ``words``, in their shape: ``int64``, Python integers beyond 64 bits.

    The inverse of :func:`to_bits`; ``int64`` words of a 64-bit type are taken as they are.

    Raises:
        TypeError: if ``words`` are not integers.
        ValueError: if an element is no word of W bits, or for a tensor and more than 64 bits.
    """
    t = as_number_type(t)
    if is_tensor(words):
        return _on_tensor(from_bits, words, t)
    array = check_codes(words, ApInt(t.width, signed=False), _not_a_word)
    if t.width > 64:
        return like(map_codes(lambda w: _signed(int(w), t), array), words)
    spare = np.int64(64 - t.width)
    return like(array << spare >> spare if t.signed else array, words)


def to_hex(codes: Any, t: NumberType | str) -> Any:
    """The words of ``codes`` as lower-case hexadecimal text, padded with zeros to the width.

    Returns:
        A NumPy array of text in the shape of ``codes``; ``str`` for a scalar.

    Raises:
        TypeError, ValueError: as :func:`to_bits` does.
    """
    t = as_number_type(t)
    words = np.asarray(to_bits(codes.cpu().numpy() if is_tensor(codes) else codes, t))
    length = (t.width + 3) // 4
    text = np.empty(words.shape, dtype=f"U{length}")
    text.ravel()[:] = [f"{word:0{length}x}" for word in words.ravel().tolist()]
    return text if text.ndim else str(text)


def from_hex(strings: Any, t: NumberType | str) -> Any:
    """The codes whose words are spelled by ``strings``: the inverse of :func:`to_hex`.

    Args:
        strings: hexadecimal text, a list or an array of it; ``0x`` before it and ``_`` between
            digits may be there.
        t: the type.

    Raises:
        TypeError: for what is no text.
        ValueError: for other text, and words of more than W bits.
    """
    t = as_number_type(t)
    array = np.asarray(strings, dtype=object)
    words = np.empty(array.shape, dtype=object)
    words.ravel()[:] = [_word(text) for text in array.ravel().tolist()]
    return like(np.asarray(from_bits(words, t)), strings)


def _word(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError(f"hexadecimal words are text, not {shown(text)}")
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{shown(text)} is no hexadecimal word; allowed: 0-9 a-f, as in 0x7f")
    return int(match[1], 16)


def _not_a_word(word: int, t: NumberType) -> str:
    """What is wrong with an integer that is no word; ``t`` is the ``ap_uint`` of the width."""
    span = f"0 to {brief(t.max_code)}"
    return f"{brief(word)} is no word of {t.width} bits: {span}; a code? to_bits(codes, t) reads it"


def _on_tensor(function: Callable[..., Any], x: Any, t: NumberType) -> Any:
    """What ``function`` makes of the memory of a tensor, as one."""
    if t.width > 64:
        raise ValueError(f"torch holds words of at most 64 bits, {t} has {t.width}; use NumPy")
    found = function(x.detach().cpu().numpy(), t).view(np.int64)
    return sys.modules["torch"].from_numpy(found).to(x.device)


def _signed(word: int, t: NumberType) -> int:
    return word - (1 << t.width) if t.signed and word >> (t.width - 1) else word
