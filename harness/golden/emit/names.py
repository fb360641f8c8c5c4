"""Names that every tool and language takes: file names, packages, namespaces, arrays."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

__all__ = ["columns_of", "stem_of"]

#: Characters that are kept of a name: file systems take 255 bytes.
_LONGEST = 80
#: What an array in C++ cannot be called: keywords, macros of g++, and our own constant.
_WORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t "
    "char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr "
    "constinit continue count decltype default delete do double dynamic_cast else enum errno "
    "explicit export extern false float for friend goto if inline int linux long mutable namespace "
    "new noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires return short signed sizeof static static_assert static_cast std "
    "struct switch template this thread_local throw true try typedef typeid typename union unix "
    "unsigned using virtual void volatile wchar_t while xor xor_eq"
)
_TAKEN = frozenset(_WORDS.split())


def stem_of(name: str) -> str:
    """What the files, packages and namespaces of ``name`` are called.

    Lower-case ASCII letters, digits and single underscores, a letter first.  A name that is not
    so already is marked by six digits of its SHA-256: names that would be cleaned to the same,
    or that VHDL and some file systems take for the same, stay apart.
    """
    clean = _clean(name)[:_LONGEST].rstrip("_")
    if clean == name:
        return name
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    return f"{clean or 'x'}_{digest[:6]}"


def columns_of(names: Iterable[str]) -> dict[str, str]:
    """What the arrays of these columns are called, each otherwise: by the name of the column."""
    found: dict[str, str] = {}
    for name in names:
        clean = base = _clean(name)[:_LONGEST].rstrip("_") or "x"
        k = 1
        while clean in _TAKEN or clean in found.values() or clean.endswith(("_width", "_word")):
            k += 1
            clean = f"{base}_{k}"
        found[name] = clean
    return found


def _clean(name: str) -> str:
    """Accents are taken off, what is no letter or digit is an underscore, a letter comes first."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    clean = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return f"x{clean}" if clean[:1].isdigit() else clean
