"""A module as terms: what yosys writes as SMT-LIB, read by the solver that is asked of it."""

from __future__ import annotations

import re
from typing import Any

from bitwuzla import BitwuzlaException, Options, Parser

from harness.prove.rtl.yosys import RtlError
from harness.prove.terms import MANAGER, Truth, Word

__all__ = ["Model", "State"]

_REGISTER = re.compile(r"^; yosys-smt2-register (\S+) ", re.M)
#: What a cell keeps until the next state, in the comment behind it.
_KEPT = re.compile(r"next_state\)\) ; (\S+) \\?(\S+)$", re.M)


class State:
    """All that a module has at one moment: its inputs, its registers, and what nobody drives.

    Args:
        model: of the module.
        name: of the moment.
    """

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.name = name
        model.declare(name)

    def __getitem__(self, name: str) -> Word:
        """A port or a register by name."""
        return self.model.word(f"(|{self.model.module}_n {name}| {self.name})")

    def before(self, after: State) -> Truth:
        """Whether one edge of the clock leads from here to another moment."""
        return Truth(self.model.term(f"(|{self.model.module}_t| {self.name} {after.name})"))


class Model:
    """A module without memories or modules within, as ``write_smt2 -stbv`` writes it.

    Args:
        smt: the text.
        module: its name.

    Attributes:
        registers: those that it has, with the name of the cell that keeps each.

    Raises:
        RtlError: if the solver cannot read it.
    """

    def __init__(self, smt: str, module: str) -> None:
        self.module = module
        kept = {signal: cell for cell, signal in _KEPT.findall(smt)}
        self.registers = {name: kept.get(name, "") for name in _REGISTER.findall(smt)}
        self._parser = Parser(MANAGER, Options())
        self._parse(smt)

    def declare(self, name: str) -> None:
        """A new moment, of which nothing is known."""
        self._parse(f"(declare-const {name} |{self.module}_s|)")

    def term(self, text: str) -> Any:
        """A term of the solver."""
        return self._parser.parse_term(text)

    def word(self, text: str) -> Word:
        """A term as a word; what has one bit is a truth to yosys."""
        term = self.term(text)
        return Truth(term).word() if term.sort().is_bool() else Word(term)

    def _parse(self, text: str) -> None:
        try:
            self._parser.parse(text, True, False)
        except BitwuzlaException as error:
            first = str(error).splitlines()[0]
            raise RtlError(f"the solver cannot read what yosys wrote: {first}") from None
