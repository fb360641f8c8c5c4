"""Memory files: ``$readmemh``, Xilinx ``.coe``, Intel ``.mif``."""

from __future__ import annotations

from collections.abc import Iterator

from harness.golden.emit.layout import Lines, per_column
from harness.golden.record import Column

__all__ = ["COE", "MEM", "MIF"]

_HEX = "([0-9a-f]+)"


def _write_mem(words: list[str], t: Column) -> Iterator[str]:  # noqa: ARG001  # one signature
    yield from words


def _read_mem(lines: Lines, t: Column, count: int) -> Iterator[int]:
    for _ in range(count):
        yield lines.word(lines.take("a word"), t)


def _write_coe(words: list[str], t: Column) -> Iterator[str]:  # noqa: ARG001
    yield "memory_initialization_radix=16;"
    yield "memory_initialization_vector="
    for word in words[:-1]:
        yield f"{word},"
    yield f"{words[-1]};"


def _read_coe(lines: Lines, t: Column, count: int) -> Iterator[int]:
    lines.expect("memory_initialization_radix=16;")
    lines.expect("memory_initialization_vector=")
    for k in range(count):
        end = ";" if k == count - 1 else ","
        yield lines.word(lines.match(_HEX + end, f"a word and {end!r}")[1], t)


def _write_mif(words: list[str], t: Column) -> Iterator[str]:
    yield f"DEPTH = {len(words)};"
    yield f"WIDTH = {t.width};"
    yield "ADDRESS_RADIX = HEX;"
    yield "DATA_RADIX = HEX;"
    yield "CONTENT BEGIN"
    for address, word in enumerate(words):
        yield f"  {address:x} : {word};"
    yield "END;"


def _read_mif(lines: Lines, t: Column, count: int) -> Iterator[int]:
    for line in (f"DEPTH = {count};", f"WIDTH = {t.width};"):
        lines.expect(line)
    for line in ("ADDRESS_RADIX = HEX;", "DATA_RADIX = HEX;", "CONTENT BEGIN"):
        lines.expect(line)
    for address in range(count):
        match = lines.match(rf"  {_HEX} : {_HEX};", "an address and a word")
        if match[1] != f"{address:x}":
            raise lines.wrong(f"the address must be {address:x}, not {match[1]}")
        yield lines.word(match[2], t)
    lines.expect("END;")


MEM = per_column("mem", _write_mem, _read_mem, "$readmemh: one zero-padded word a line")
COE = per_column("coe", _write_coe, _read_coe, "Xilinx memory coefficients")
MIF = per_column("mif", _write_mif, _read_mif, "Intel memory initialization")
