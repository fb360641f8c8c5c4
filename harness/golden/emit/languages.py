"""Sources: a SystemVerilog package, a VHDL package with its text file, a C++ header."""

from __future__ import annotations

from collections.abc import Callable

from harness.golden.emit.layout import Files, Format, Stored, no_extras
from harness.golden.emit.names import columns_of
from harness.golden.record import OPERATIONS, Column, Group, digits, spell

__all__ = ["CPP", "SV", "VHDL"]

_LIMB = (1 << 64) - 1


def _header(group: Group, comment: str) -> list[str]:
    what = OPERATIONS[group.operation][0]
    lines = [f"{comment} Golden vectors of {group.operation}: {what}."]
    if group.start is not None:
        lines.append(f"{comment} start = {group.start:x}")
    if group.ends:
        lines.append(f"{comment} (hi, lo) = ({', '.join(map(str, group.ends))})")
    return [*lines, f"{comment} Words are raw bits."]


def _arrays(
    group: Group,
    opening: Callable[[str, Column], list[str]],
    item: Callable[[int, Column], str],
    closing: Callable[[str], list[str]],
) -> list[str]:
    """An array for each column, a word a line."""
    lines, names = [], columns_of(group.columns)
    for name, t in group.columns.items():
        words = group.words(name)
        items = [f"    {item(word, t)}," for word in words]
        items[-1] = items[-1][:-1]
        lines += [*opening(names[name], t), *items, *closing(names[name])]
    return lines


def _read_arrays(
    stored: Stored,
    file: str,
    opening: Callable[[str, Column], list[str]],
    pattern: Callable[[Column], str],
    closing: Callable[[str], list[str]],
) -> list[list[int]]:
    lines, found, names = stored.lines(file), [], columns_of(stored.columns)
    for name, t in stored.columns.items():
        lines.until(opening(names[name], t)[-1])
        words = []
        for k in range(stored.count):
            comma = "" if k == stored.count - 1 else ","
            match = lines.match(rf"    {pattern(t)}{comma}", "a word")
            text = "".join(reversed(match.groups()))  # limbs come little end first
            words.append(lines.word(text[-digits(t) :], t))
            if text[: -digits(t)].strip("0"):
                raise lines.wrong(f"{text} has more than {t.width} bits")
        for line in closing(names[name]):
            lines.expect(line)
        found.append(words)
    return found


def _sv_opening(name: str, t: Column) -> list[str]:
    array, width = name.upper(), f"{name.upper()}_WIDTH"
    return [
        f"  localparam int {width} = {t.width};  // {spell(t)}",
        "`ifdef __ICARUS__  // it has no arrays of parameters",
        f"  localparam [0:COUNT*{width}-1] {array} = {{",
        "`else",
        f"  localparam logic [{width}-1:0] {array}[COUNT] = '{{",
        f"`endif  // the words of {array}",
    ]


def _sv_closing(name: str) -> list[str]:
    array, width = name.upper(), f"{name.upper()}_WIDTH"
    return [
        "  };",
        "  // verilator lint_off UNUSED",  # the high bits of k
        f"  function automatic logic [{width}-1:0] {name}_word(input int k);",
        "`ifdef __ICARUS__",
        f"    return {array}[k*{width} +: {width}];",
        "`else",
        f"    return {array}[k];",
        "`endif",
        "  endfunction",
        "  // verilator lint_on UNUSED",
    ]


def _sv_item(word: int, t: Column) -> str:
    return f"{t.width}'h{word:0{digits(t)}x}"


def _sv_pattern(t: Column) -> str:
    return rf"{t.width}'h([0-9a-f]+)"


def _write_sv(group: Group, stem: str) -> Files:
    lines = [
        *_header(group, "//"),
        "// Word k of the column a is a_word(k); where there are arrays of parameters, A[k] too.",
        f"package {stem}_pkg;",
        f"  localparam int COUNT = {len(group.cases)};",
        *_arrays(group, _sv_opening, _sv_item, _sv_closing),
        "endpackage",
    ]
    return {f"{stem}_pkg.sv": _text(lines)}


def _read_sv(stored: Stored) -> list[list[int]]:
    file = f"{stored.stem}_pkg.sv"
    return _read_arrays(stored, file, _sv_opening, _sv_pattern, _sv_closing)


def _cpp_opening(name: str, t: Column) -> list[str]:
    limbs = (t.width + 63) // 64
    return [
        f"constexpr int {name}_width = {t.width};  // {spell(t)}",
        f"constexpr std::uint64_t {name}[count]{f'[{limbs}]' if limbs > 1 else ''} = {{",
    ]


def _cpp_closing(_: str) -> list[str]:
    return ["};"]


def _cpp_item(word: int, t: Column) -> str:
    limbs = [f"0x{word >> k & _LIMB:016x}ull" for k in range(0, t.width, 64)]
    return limbs[0] if len(limbs) == 1 else f"{{{', '.join(limbs)}}}"


def _cpp_pattern(t: Column) -> str:
    limbs = ["0x([0-9a-f]{16})ull"] * ((t.width + 63) // 64)
    return limbs[0] if len(limbs) == 1 else rf"\{{{', '.join(limbs)}\}}"


def _write_cpp(group: Group, stem: str) -> Files:
    guard = f"{stem.upper()}_H"
    lines = [
        *_header(group, "//"),
        "// A word of more than 64 bits is an array, its lowest 64 bits first.",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <cstdint>",
        "",
        f"namespace {stem} {{",
        "",
        f"constexpr int count = {len(group.cases)};",
        *_arrays(group, _cpp_opening, _cpp_item, _cpp_closing),
        "",
        f"}}  // namespace {stem}",
        "",
        f"#endif  // {guard}",
    ]
    return {f"{stem}.h": _text(lines)}


def _read_cpp(stored: Stored) -> list[list[int]]:
    return _read_arrays(stored, f"{stored.stem}.h", _cpp_opening, _cpp_pattern, _cpp_closing)


def _write_vhdl(group: Group, stem: str) -> Files:
    names = list(columns_of(group.columns).values())
    lines = [
        *_header(group, "--"),
        f"-- The words are in {stem}.txt: a case a line, the columns {', '.join(names)}",
        "-- in hexadecimal, for hread of std_logic_1164 (VHDL-2008).",
        "library ieee;",
        "use ieee.std_logic_1164.all;",
        "",
        f"package {stem}_pkg is",
        f'  constant FILE_NAME : string := "{stem}.txt";',
        f"  constant COUNT : positive := {len(group.cases)};",
    ]
    for name, t in zip(names, group.columns.values(), strict=True):
        lines += [
            f"  constant {name.upper()}_WIDTH : positive := {t.width};  -- {spell(t)}",
            f"  subtype {name}_word is std_logic_vector({t.width - 1} downto 0);",
        ]
    lines.append("end package;")
    lengths = [digits(t) for t in group.columns.values()]
    rows = [
        " ".join(f"{w:0{n}x}" for w, n in zip(case.words, lengths, strict=True))
        for case in group.cases
    ]
    return {f"{stem}_pkg.vhd": _text(lines), f"{stem}.txt": _text(rows)}


def _read_vhdl(stored: Stored) -> list[list[int]]:
    lines = stored.lines(f"{stored.stem}.txt")
    return lines.rows(stored.count, list(stored.columns.values()), " ")


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


SV = Format("SystemVerilog package with the words", _write_sv, _read_sv, no_extras)
VHDL = Format("VHDL package, and the words for textio", _write_vhdl, _read_vhdl, no_extras)
CPP = Format("C++ header with the words", _write_cpp, _read_cpp, no_extras)
