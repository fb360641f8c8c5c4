"""Our own ``ap_quantize``: many casts at once, each as an instance of it.

One run of yosys reads a few dozen shapes, each as a module with one instance for every mode.
Measured for the SystemVerilog, a mode takes 3 ms, of which 2 are the front end's, which reads the
instance with its parameters anew.  Modes of one rounding share most of their terms, so they are one
question.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.golden.files import golden_directory
from harness.prove.law import fixed
from harness.prove.rtl.model import Model, State
from harness.prove.rtl.sources import VHDL, Sources, verilog_of
from harness.prove.rtl.yosys import run
from harness.prove.solve import Claim, Pair
from harness.types import ApFixed, ApInt, Rounding, check_cast

__all__ = ["Asked", "cast_claims", "design_claims", "golden_rtl"]

#: A source, and the targets that it is cast to.
Asked = tuple[ApFixed, Sequence[ApFixed]]
#: Shapes that one run reads: its start takes as long as two of them.
AT_ONCE = 24


def golden_rtl(language: str = "sv") -> Path:
    """``ap_quantize`` in SystemVerilog, or in VHDL as ``vhd``."""
    return golden_directory() / "rtl" / f"ap_quantize.{language}"


@dataclass(frozen=True)
class _Shape:
    """Targets that differ by their modes alone, and the design that is asked."""

    design: Path
    source: ApFixed
    targets: tuple[ApFixed, ...]

    def parameters(self, t: ApFixed) -> list[int]:
        """In the order of the module."""
        s = self.source
        modes = [9, 3, 0] if isinstance(t, ApInt) else [t.rounding.value, t.overflow.value, t.n]
        return [s.width, s.integer, int(s.signed), t.width, t.integer, int(t.signed), *modes]


def cast_claims(asked: Iterable[Asked], file: Path | None = None) -> Iterator[Claim]:
    """That ``ap_quantize`` gives the code of the definition, for all codes of the sources.

    Args:
        asked: sources, each with its targets.
        file: another design of that name, ports and parameters, such as ``golden_rtl("vhd")`` or
            one with a fault planted; VHDL is read by GHDL's synthesis.

    Yields:
        A claim for every source, shape and rounding, whose input is ``a``, and which has a pair for
        each target of them.

    Raises:
        RtlError: if yosys or GHDL is missing, or refuses the design.
        ValueError: for a cast that the headers leave undefined, or a rounding by chance.
    """
    return design_claims((file or golden_rtl(), each) for each in asked)


def design_claims(asked: Iterable[tuple[Path, Asked]]) -> Iterator[Claim]:
    """The same of several designs at once, whose names are the subjects of the claims."""
    shapes = iter([shape for design, each in asked for shape in _shapes(design, *each)])
    while batch := list(islice(shapes, AT_ONCE)):
        with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
            texts = _read(batch, Path(scratch))
        for shape, smt in zip(batch, texts, strict=True):
            yield from _claims(shape, smt)


def _shapes(design: Path, source: ApFixed, targets: Iterable[ApFixed]) -> list[_Shape]:
    found: dict[tuple[int, int, bool, bool], list[ApFixed]] = {}
    for t in targets:
        check_cast(source, t)
        if not isinstance(t.rounding, Rounding):
            raise ValueError(f"{t} rounds by chance, so no code is the right one")
        found.setdefault((t.width, t.integer, t.signed, isinstance(t, ApInt)), []).append(t)
    return [_Shape(design, source, tuple(dict.fromkeys(same))) for same in found.values()]


def _claims(shape: _Shape, smt: str) -> Iterator[Claim]:
    state = State(Model(smt, "top"), "now")
    a = state["a"]
    by_rounding: dict[Rounding, list[Pair]] = {}
    for k, t in enumerate(shape.targets):
        pair = Pair(str(t), state[f"y{k}"], fixed.cast(a, shape.source, t))
        by_rounding.setdefault(t.rounding, []).append(pair)
    for pairs in by_rounding.values():
        asked = (
            pairs[0].name if len(pairs) == 1 else f"{pairs[0].name} and {len(pairs) - 1} like it"
        )
        yield Claim(f"{shape.source} to {asked}", shape.design.name, {"a": a}, pairs)


def _read(shapes: Sequence[_Shape], scratch: Path) -> list[str]:
    """The shapes as SMT-LIB."""
    commands = ["logger -werror Resizing"]  # a port of another width
    names = {}
    for k, shape in enumerate(shapes):
        if shape.design.suffix.lower() in VHDL:
            commands += [f"read_verilog {_synthesised(shape, scratch / str(k))}", "proc"]
        else:
            names[f"design{k}.sv"] = shape.design.name
            (scratch / f"design{k}.sv").symlink_to(shape.design.resolve())
            (scratch / f"{k}.sv").write_text(_verilog_top(shape), encoding="utf-8")
            commands += [f"read_verilog -sv -defer design{k}.sv", f"read_verilog -sv {k}.sv"]
            commands += ["hierarchy -check -top top"]
        # What is x is anything, before anything is simplified by it, and after.
        commands += ["setundef -anyseq", "opt_expr", "opt_clean", "flatten", "setundef -anyseq"]
        commands += [f"write_smt2 -stbv {k}.smt2", "design -reset"]
    run(commands, scratch, quiet=True, names=names)
    return [(scratch / f"{k}.smt2").read_text(encoding="utf-8") for k in range(len(shapes))]


def _verilog_top(shape: _Shape) -> str:
    names = ("SRC_W", "SRC_I", "SRC_S", "W", "I", "S", "Q", "O", "N")
    ports, instances = [f"input [{shape.source.width - 1}:0] a"], []
    for k, t in enumerate(shape.targets):
        given = ", ".join(f".{n}({v})" for n, v in zip(names, shape.parameters(t), strict=True))
        ports.append(f"output [{t.width - 1}:0] y{k}")
        instances.append(f"  ap_quantize #({given}) of_{k} (.a(a), .y(y{k}));\n")
    return f"module top({', '.join(ports)});\n{''.join(instances)}endmodule\n"


def _synthesised(shape: _Shape, scratch: Path) -> Path:
    """What GHDL makes of a shape."""
    ports, instances = [f"a : in std_logic_vector({shape.source.width - 1} downto 0)"], []
    for k, t in enumerate(shape.targets):
        given = ", ".join(map(str, shape.parameters(t)))
        ports.append(f"y{k} : out std_logic_vector({t.width - 1} downto 0)")
        instances.append(
            f"  of_{k} : entity work.ap_quantize generic map ({given}) port map (a, y{k});\n"
        )
    scratch.mkdir()
    (scratch / "top.vhd").write_text(
        "library ieee;\nuse ieee.std_logic_1164.all;\n"
        f"entity top is port ({'; '.join(ports)}); end entity;\n"
        f"architecture rtl of top is begin\n{''.join(instances)}end architecture;\n",
        encoding="utf-8",
    )
    own = shape.design.resolve()
    shown = {str(own): shape.design.name, f"{scratch}/": ""}
    found, _ = verilog_of(Sources((own, scratch / "top.vhd"), "top", shown=shown), scratch)
    # What is not assigned GHDL writes as z.
    found.write_text(found.read_text(encoding="utf-8").replace("'bZ", "'bX"), encoding="utf-8")
    return found
