"""A hardware module that is called like a function: ``rtl("fir.v", top="fir", latency=1)``."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cosim.errors import CosimError, SignatureError
from harness.cosim.function import Function
from harness.cosim.given import Macros, Names, files_of, folders_of, macros_of
from harness.cosim.hdl.arguments import Asked
from harness.cosim.hdl.build import WAVES, Question, built_rtl
from harness.cosim.hdl.ports import Design
from harness.cosim.hdl.program import Running
from harness.cosim.process import Runner
from harness.types import NumberType

__all__ = ["RtlFunction", "rtl"]

#: Copies of a design whose unknown bits begin as all 0, all 1, and at random.
COPIES = 3


class RtlFunction(Function):
    """A module with a signature; see :class:`~harness.cosim.Function`.

    ``f.batch`` is a sequence of calls, and so are several batches: registers live on, and
    ``f.reset()`` begins anew, with the module's reset if it has one.  ``f.question`` is what was
    asked: the sources, and how they are run.
    """

    def __init__(self, question: Question, seconds: float, say: Callable[[str], object] | None):
        program = built_rtl(question, say)
        self.question, self._seconds, self._say = question, seconds, say
        self._program = program
        source = question.design.files[0].name
        super().__init__(program.signature, source, self._started(program.path))

    def _started(self, path: Path) -> Runner:
        return Runner(path, self._seconds, self._program.files, self.signature_name)

    @property
    def signature_name(self) -> str:
        """The module's name, in messages."""
        return self._program.signature.name

    def trace(self, *args: Any, path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """One call, from reset on, whose waveforms are written.

        Args:
            args: as for a call.
            path: a ``.vcd`` or ``.fst`` file.
            kwargs: as for a call; ``batch=True`` for a leading axis of calls, ``coded=True`` for
                codes.

        Raises:
            RunError: as a call does; the waveforms up to there are written all the same.
        """
        to = Path(path)
        form = to.suffix.lower().removeprefix(".")
        if form not in WAVES:
            raise CosimError(f"waves are written as .{' or .'.join(WAVES)}, not to {to.name}")
        batch, coded = kwargs.pop("batch", False), kwargs.pop("coded", False)
        program = built_rtl(replace(self.question, waves=form), self._say)
        with tempfile.TemporaryDirectory(prefix="harness-waves-") as folder:
            link = Path(folder, "design")  # beside which it writes them
            link.symlink_to(program.path)
            call = Function(program.signature, self.source, self._started(link))
            face = call.codes if coded else call
            try:
                with closing(call):
                    return face.batch(*args, **kwargs) if batch else face(*args, **kwargs)
            finally:
                waves = Path(f"{link}.waves")
                if waves.is_file():
                    shutil.move(waves, to)


def rtl(
    sources: Names,
    top: str,
    *,
    protocol: str | None = None,
    latency: int | None = None,
    interval: int = 1,
    clock: str | None = None,
    reset: str | bool | None = None,
    reset_low: bool | None = None,
    types: Mapping[str, str | NumberType] | None = None,
    sizes: Mapping[str, int] | None = None,
    valid: Mapping[str, str] | None = None,
    ready: Mapping[str, str] | None = None,
    tie: Mapping[str, int] | None = None,
    parameters: Mapping[str, int | str] | None = None,
    include: Sequence[str | os.PathLike[str]] = (),
    defines: Macros = (),
    cycles: int = 10_000,
    reset_cycles: int = 4,
    stalls: int = 0,
    unknowns: bool = True,
    seconds: float = 60.0,
    say: Callable[[str], object] | None = None,
) -> RtlFunction:
    """A module of Verilog or SystemVerilog, or an entity of VHDL, that is called like a function.

    Verilator compiles it; VHDL goes through ``ghdl --synth`` first, which reads what can be
    synthesised.  Verilator has two states: what is X in other simulators begins as 0, as 1 and at
    random in three copies of the design, and an output in which they differ is an error.  That
    finds registers and memories without a value, ``'x`` in the source, and data that is used
    while it is not valid; not what a division by zero or an index out of range gives.

    Args:
        sources: the files, or one; of VHDL in the order of their compilation.
        top: the module or entity.
        protocol: how a call is made: ``combinational``, ``pipeline``, ``handshake`` (one transfer
            on each channel of valid and ready), ``ap_ctrl_hs`` (Vitis), ``stream`` (Vitis'
            ``ap_ctrl_none`` with streams); by default what the names of the ports tell.
        latency: of a pipeline: rising edges of the clock between an input and its output.
        interval: cycles between the calls of a pipeline.
        clock: its port, if it is not called ``clk``, ``ap_clk`` or the like.
        reset: its port, if it is not called ``rst``, ``ap_rst_n`` or the like; ``False`` for none.
        reset_low: whether 0 resets; by default if the name says so, as ``rst_n``.
        types: of arguments, ``{"x": "ap_fixed<16,6>"}``; with dimensions where a port has an array,
            ``"ap_fixed<8,2>[4]"``: a vector with the first element in the lowest bits, an
            unpacked array, a memory, or ports ``x_0`` to ``x_3``.  Other arguments are integers of
            the port's width, signed if the source says so.
        sizes: how many elements an ``ap_memory`` has, or how many values a call writes into a
            stream without TLAST.
        valid: the valid of an argument's channel, where the names do not tell.
        ready: its ready.
        tie: inputs that have one value for ever: ``{"ce": 1}``.
        parameters: of the module, or generics of the entity.
        include: folders for `` `include`` and for modules; those of the sources are searched.
        defines: macros: ``["N=8"]`` or ``{"N": 8}``.
        cycles: that may go by without an end of a call, or a transfer.
        reset_cycles: of the reset, before the first call; what goes in is unknown then.
        stalls: not 0: seeds pauses in the channels and streams, so that each cycle has one or not.
        unknowns: whether to look for X; if not, what is unknown is 0, and calls are faster.
        seconds: that a batch of calls may take.
        say: told what takes long, a line each.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if the module is not there, or takes what we cannot carry.
        CosimError: if a tool is missing.
    """
    files = files_of(sources, "rtl()")
    for what, n, least in (
        ("latency", latency, 0),
        ("interval", interval, 1),
        ("cycles", cycles, 1),
    ):
        if n is not None and n < least:
            raise SignatureError(f"{what} is {n}; it is at least {least}")
    macros, folders = macros_of(defines), folders_of(include)
    design = Design(files, top.strip(), folders, macros, dict(parameters or {}))
    asked = Asked(
        clock, reset, reset_low, protocol, latency,
        dict(types or {}), dict(sizes or {}), dict(valid or {}), dict(ready or {}), dict(tie or {}),
    )  # fmt: skip
    copies = COPIES if unknowns else 1
    running = Running(latency or 0, interval, cycles, reset_cycles, stalls, copies)
    return RtlFunction(Question(design, asked, running), seconds, say)
