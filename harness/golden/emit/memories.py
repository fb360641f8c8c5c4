"""Memory files: ``$readmemh``, Xilinx ``.coe``, Intel ``.mif``."""

from __future__ import annotations

from collections.abc import Iterator

from harness.golden.emit.layout import per_column
from harness.golden.record import Column

__all__ = ["COE", "MEM", "MIF"]


def _write_mem(words: list[str], t: Column) -> Iterator[str]:  # noqa: ARG001  # one signature
    yield from words


def _write_coe(words: list[str], t: Column) -> Iterator[str]:  # noqa: ARG001
    yield "memory_initialization_radix=16;"
    yield "memory_initialization_vector="
    for word in words[:-1]:
        yield f"{word},"
    yield f"{words[-1]};"


def _write_mif(words: list[str], t: Column) -> Iterator[str]:
    yield f"DEPTH = {len(words)};"
    yield f"WIDTH = {t.width};"
    yield "ADDRESS_RADIX = HEX;"
    yield "DATA_RADIX = HEX;"
    yield "CONTENT BEGIN"
    for address, word in enumerate(words):
        yield f"  {address:x} : {word};"
    yield "END;"


MEM = per_column("mem", _write_mem, "$readmemh: one zero-padded word a line")
COE = per_column("coe", _write_coe, "Xilinx memory coefficients")
MIF = per_column("mif", _write_mif, "Intel memory initialization")
