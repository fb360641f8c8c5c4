"""How people write a type, read and printed: C++, hls4ml and ``(k, i, f)``; floats in C++."""

from __future__ import annotations

import re
from typing import Any

from harness.types.modes import Overflow, Rounding, parse_rounding

__all__ = [
    "float_family",
    "format_cpp",
    "format_hls4ml",
    "format_ieee",
    "format_kif",
    "parse",
    "parse_ieee",
    "parse_minifloat",
    "parse_vitis",
]

_TEMPLATE = re.compile(r"(?:::)?\s*(ap_|sc_)?(u?)(fixed|int)\s*<([^<>]*)>")
_KIF = re.compile(r"\(([^()]*)\)")
_FLOAT = re.compile(r"(?:::)?\s*(ap_float|minifloat|ieee)\s*<([^<>]*)>")
_ALLOWED = (
    "ap_fixed<W,I[,Q[,O[,N]]]>, ap_ufixed<...>, ap_int<W>, ap_uint<W>, "
    "the same without 'ap_' as in hls4ml, or (k,i,f[,Q[,O[,N]]])"
)


def parse(text: str) -> dict[str, Any]:
    """The arguments of the ``ApFixed`` that ``text`` spells; of an ``ApInt``, without ``integer``.

    ``ValueError`` if it spells neither.
    """
    if not isinstance(text, str):
        raise ValueError(f"cannot read a type from {text!r}; allowed: {_ALLOWED}")
    stripped = text.strip()
    if match := _TEMPLATE.fullmatch(stripped):
        _, u, family, body = match.groups()
        return _from_template(text, family, not u, _split(text, body))
    if match := _KIF.fullmatch(stripped):
        return _from_kif(text, _split(text, match.group(1)))
    raise ValueError(f"cannot read a type from {text!r}; allowed: {_ALLOWED}")


def format_cpp(t: Any) -> str:
    """``ap_fixed<16,6,AP_RND,AP_SAT>``: trailing defaults are left out."""
    modes = [t.rounding.cpp, t.overflow.cpp, str(t.n)]
    return f"ap_{'' if t.signed else 'u'}fixed<{_join(t, [t.width, t.integer], modes)}>"


def format_hls4ml(t: Any) -> str:
    """``fixed<16,6,RND,SAT>``: trailing defaults are left out."""
    modes = [t.rounding.name, t.overflow.name, str(t.n)]
    return f"{'' if t.signed else 'u'}fixed<{_join(t, [t.width, t.integer], modes)}>"


def format_kif(t: Any) -> str:
    """``(1,5,10,RND,SAT)``: sign, integer bits without it, fractional bits, then the modes."""
    if t.cpp.endswith(f"int<{t.width}>"):
        raise ValueError(f"{t.cpp} has no spelling as (k,i,f), which is a fixed-point type's")
    modes = [t.rounding.name, t.overflow.name, str(t.n)]
    return f"({_join(t, [int(bit) for bit in t.kif], modes)})"


def _join(t: Any, numbers: list[int], modes: list[str]) -> str:
    if t.n == 0:
        modes = modes[:2]
        if t.overflow is Overflow.WRAP:
            modes = modes[:1]
            if t.rounding is Rounding.TRN:
                modes = []
    return ",".join([*map(str, numbers), *modes])


def _split(text: str, body: str, allowed: str = _ALLOWED) -> list[str]:
    parts = [part.strip() for part in body.split(",")]
    if not all(parts):
        raise ValueError(f"an argument is empty in {text!r}; allowed: {allowed}")
    return parts


def _integer(text: str, part: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,9}", part) is None:
        raise ValueError(f"{part!r} is not an integer in {text!r}")
    return int(part)


def _modes(text: str, parts: list[str]) -> dict[str, Any]:
    if len(parts) > 3:
        raise ValueError(f"too many arguments in {text!r}; allowed: {_ALLOWED}")
    modes: dict[str, Any] = {}
    if parts:
        modes["rounding"] = parse_rounding(parts[0])
    if len(parts) > 1:
        modes["overflow"] = Overflow.parse(parts[1])
    if len(parts) > 2:
        modes["n"] = _integer(text, parts[2])
    return modes


def _from_template(text: str, family: str, signed: bool, parts: list[str]) -> dict[str, Any]:
    width = _integer(text, parts[0])
    if family == "int":
        if len(parts) != 1:
            raise ValueError(f"an integer type takes its width alone, not {text!r}")
        return {"width": width, "signed": signed}
    if len(parts) < 2:
        raise ValueError(f"a fixed-point type needs width and integer bits, not {text!r}")
    facts = {"width": width, "integer": _integer(text, parts[1]), "signed": signed}
    return facts | _modes(text, parts[2:])


def _from_kif(text: str, parts: list[str]) -> dict[str, Any]:
    if len(parts) < 3 or parts[0] not in ("0", "1"):
        raise ValueError(f"(k,i,f) needs k of 0 or 1, i and f, not {text!r}")
    k, i, f = (_integer(text, part) for part in parts[:3])
    return {"width": k + i + f, "integer": k + i, "signed": bool(k)} | _modes(text, parts[3:])


_FLOATS = "ap_float<M,E,E0>, ap_float<W,E> of Vitis, or ieee<E,S[,fn|fnuz|none][,saturate]...>"


def parse_minifloat(text: str) -> tuple[int, int, int]:
    """M, E and E0 of ``ap_float<M,E,E0>`` or ``minifloat<M,E[,E0]>``."""
    family, parts = _float_parts(text)
    if len(parts) == 3 or (family == "minifloat" and len(parts) == 2):
        m, e, e0 = (_integer(text, part) for part in (*parts, "0")[:3])
        return m, e, e0
    raise ValueError(f"a minifloat is ap_float<M,E,E0> or minifloat<M,E[,E0]>, not {text!r}")


def parse_vitis(text: str) -> tuple[int, int]:
    """W and E of ``ap_float<W,E>``."""
    family, parts = _float_parts(text)
    if family != "ap_float" or len(parts) != 2:
        raise ValueError(f"a Vitis float is ap_float<W,E>, not {text!r}")
    return _integer(text, parts[0]), _integer(text, parts[1])


def parse_ieee(text: str) -> dict[str, Any]:
    """The arguments of ``IeeeFloat`` that ``ieee<E,S,...>`` spells; the words in any order."""
    family, parts = _float_parts(text)
    if family != "ieee" or len(parts) < 2:
        raise ValueError(f"an IEEE-style float is ieee<E,S[,...]>, not {text!r}")
    facts: dict[str, Any] = {
        "exp_bits": _integer(text, parts[0]),
        "sig_bits": _integer(text, parts[1]),
    }
    for word in parts[2:]:
        if word in ("fn", "fnuz", "none", "ieee"):
            facts["specials"] = word
        elif word in ("inf", "saturate"):
            facts["overflow"] = word
        elif word == "flush":
            facts["subnormals"] = False
        else:
            facts["rounding"] = int(word) if word.isdigit() else word
    return facts


def format_ieee(t: Any) -> str:
    """``ieee<5,10>``, then what departs from the defaults."""
    words = [str(t.exp_bits), str(t.sig_bits)]
    if t.specials != "ieee":
        words.append(t.specials)
    if t.overflow.value == "saturate" and t.specials != "none":
        words.append("saturate")
    if not t.subnormals:
        words.append("flush")
    if t.rounding.value != 1:
        words.append(t.rounding.name)
    return f"ieee<{','.join(words)}>"


def float_family(text: str) -> tuple[str, int] | None:
    """``ap_float``, ``minifloat`` or ``ieee`` and the number of arguments; ``None`` for others."""
    if not isinstance(text, str) or _FLOAT.fullmatch(text.strip()) is None:
        return None
    family, parts = _float_parts(text)
    return family, len(parts)


def _float_parts(text: str) -> tuple[str, list[str]]:
    match = _FLOAT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"cannot read a float type from {text!r}; allowed: {_FLOATS}")
    return match.group(1), _split(text, match.group(2), _FLOATS)
