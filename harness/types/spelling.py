"""How people write a type, read and printed: C++, hls4ml and ``(k, i, f)``; floats in C++."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from harness.types.modes import Overflow, Rounding, parse_rounding
from harness.types.texts import shown

__all__ = [
    "cleaned",
    "float_family",
    "format_cpp",
    "format_hls4ml",
    "format_ieee",
    "format_kif",
    "nearest",
    "parse",
    "parse_ieee",
    "parse_minifloat",
    "parse_vitis",
    "spells_fixed",
    "unreadable",
]

_TEMPLATE = re.compile(r"(ap_|sc_)?(u?)(fixed|int)\s*<([^<>]*)>")
_BASE = re.compile(r"ap_(fixed|int)_base\s*<([^<>]*)>")
_KIF = re.compile(r"\(([^()]*)\)")
_FLOAT = re.compile(r"(ap_float|minifloat|ieee)\s*<([^<>]*)>")
#: What compilers and logs write around a type.
_BEFORE = re.compile(r"^(?:(?:const|volatile|struct|class|typename)\s+)*(?:::)?\s*")
_BEHIND = re.compile(r"(?:\s*(?:\bconst\b|&))+$")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_ALLOWED = (
    "ap_fixed<W,I[,Q[,O[,N]]]>, ap_ufixed<...>, ap_int<W>, ap_uint<W>, "
    "the same without 'ap_' as in hls4ml, or (k,i,f[,Q[,O[,N]]])"
)


def cleaned(text: str) -> str:
    """A spelling without what logs have around it: quotes, ``const``, ``struct``, ``::``, ``&``."""
    stripped = text.strip().strip("'\"`\u2018\u2019").strip()
    return _BEHIND.sub("", _BEFORE.sub("", stripped))


def parse(text: str) -> dict[str, Any]:
    """The arguments of the ``ApFixed`` that ``text`` spells; of an ``ApInt``, without ``integer``.

    ``ValueError`` if it spells neither.
    """
    if isinstance(text, str):
        stripped = cleaned(text)
        if match := _TEMPLATE.fullmatch(stripped):
            _, u, family, body = match.groups()
            return _from_template(text, family, not u, _split(text, body))
        if match := _BASE.fullmatch(stripped):
            return _from_base(text, match[1], _split(text, match[2]))
        if match := _KIF.fullmatch(stripped):
            return _from_kif(text, _split(text, match[1]))
    raise ValueError(f"cannot read a type from {shown(text)}; allowed: {_ALLOWED}")


def spells_fixed(text: object) -> bool:
    """Whether a text is meant as a fixed-point or integer type, right or wrong."""
    patterns = (_TEMPLATE, _BASE, _KIF)
    return isinstance(text, str) and any(p.fullmatch(cleaned(text)) for p in patterns)


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
        raise ValueError(
            f"a fixed-point type needs width and integer bits, as in <16,6>, not {text!r}"
        )
    facts = {"width": width, "integer": _integer(text, parts[1]), "signed": signed}
    return facts | _modes(text, _named(parts[2:]))


def _named(parts: list[str]) -> list[str]:
    """The arguments after W and I; a mode that is a bare number, as an enumerator."""
    modes = zip(("ap_q_mode", "ap_o_mode"), parts, strict=False)
    return [f"({kind}){part}" if part.isdigit() else part for kind, part in modes] + parts[2:]


def _from_base(text: str, family: str, parts: list[str]) -> dict[str, Any]:
    """The base classes, whose signedness is an argument of its own, after W and I or W."""
    place = 2 if family == "fixed" else 1
    if len(parts) <= place or parts[place] not in _BOOLS:
        names = "W,I,S[,Q[,O[,N]]]" if family == "fixed" else "W,S"
        raise ValueError(f"ap_{family}_base<{names}> has S true or false, which {text!r} has not")
    signed = _BOOLS[parts[place]]
    return _from_template(text, family, signed, parts[:place] + parts[place + 1 :])


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


#: Other people's names.
_MEANT = {
    "double": "ieee<11,52>",
    "float64": "ieee<11,52>",
    "float": "float32",
    "fp32": "float32",
    "fp16": "float16",
    "int": "int<32>",
    "unsigned": "uint<32>",
    "unsigned int": "uint<32>",
    "bool": "uint<1>",
}


def unreadable(text: object, names: Sequence[str], near: Sequence[str]) -> str:
    """What to say of a text that spells nothing: what is near, and every spelling there is."""
    hint = f"; meant: {' or '.join(near)}" if near else ""
    allowed = f"{_ALLOWED}; {_FLOATS}; {', '.join(names)}"
    return f"cannot read a type from {shown(text)}{hint}; allowed: {allowed}"


def nearest(text: object, names: Sequence[str]) -> list[str]:
    """What a text that spells nothing may be meant as; some of it may spell nothing either."""
    if not isinstance(text, str):
        return []
    low = text.strip().lower()
    if match := re.fullmatch(r"(?:ap_)?(u?)int_?([0-9]{1,4})(?:_t)?", low):
        return [f"{match[1]}int<{match[2]}>"]
    if match := re.fullmatch(r"([a-z_]+)\s*[<(\[]+([^<>()\[\]]*)[>)\]]+", low):
        heads = ("ap_fixed", "ap_ufixed", "ap_int", "ap_uint", "ap_float", "minifloat", "ieee")
        return [f"{head}<{match[2]}>" for head in get_close_matches(match[1], heads, 1)]
    if low in _MEANT:
        return [_MEANT[low]]
    longer = [name for name in names if len(low) > 2 and low in name]
    return longer or get_close_matches(low, names, 3)


def float_family(text: str) -> tuple[str, int] | None:
    """``ap_float``, ``minifloat`` or ``ieee`` and the number of arguments; ``None`` for others."""
    if not isinstance(text, str) or _FLOAT.fullmatch(cleaned(text)) is None:
        return None
    family, parts = _float_parts(text)
    return family, len(parts)


def _float_parts(text: str) -> tuple[str, list[str]]:
    match = _FLOAT.fullmatch(cleaned(text)) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"cannot read a float type from {shown(text)}; allowed: {_FLOATS}")
    return match.group(1), _split(text, match.group(2), _FLOATS)
