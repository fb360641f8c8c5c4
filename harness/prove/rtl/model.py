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


_STATES = re.compile(r" \(\(state \|[^|]*\|\)(?: \(next_state \|[^|]*\|\))?\) ")
_APPLIED = re.compile(r"\(\|([^|]*)\| (state|next_state)\)")
_DEFINED = re.compile(r"^\(define-fun \|([^|]*)\|", re.M)
_BARE = re.compile(r"(?<= )(state|next_state)\)")


def _at(name: str, *moments: str) -> str:
    """What a function of a state is called at a moment, or between two."""
    return f"|{'@'.join((name, *moments))}|"


def _of_moments(text: str, now: str, then: str = "") -> str:
    """Definitions of functions of a state, as terms of a moment, or of two."""
    moments = {"state": now, "next_state": then}
    text = _STATES.sub(" () ", text)
    text = _APPLIED.sub(lambda found: _at(found[1], moments[found[2]]), text)
    text = _BARE.sub(lambda found: f"{moments[found[1]]})", text)
    between = (now, then) if then else (now,)
    return _DEFINED.sub(lambda found: f"(define-fun {_at(found[1], *between)}", text)


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
        return self.model.word(_at(f"{self.model.module}_n {name}", self.name))

    def before(self, after: State) -> Truth:
        """Whether one edge of the clock leads from here to another moment."""
        return Truth(self.model.edge(self.name, after.name))


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
        edge = smt.index(f"(define-fun |{module}_t| ")
        start = smt.index(f"(define-sort |{module}_s|")  # other modules may stand before it
        head = smt.index("\n", start)
        self._parse(smt[start:head])
        self._definitions, self._edge = smt[head:edge], smt[edge:]

    def declare(self, name: str) -> None:
        """A new moment, of which nothing is known.

        Yosys writes functions of a state.  They are read as terms of this one, so that what is
        asked of the solver is made of bit vectors alone, which every solver reads.
        """
        self._parse(f"(declare-const {name} |{self.module}_s|)")
        self._parse(_of_moments(self._definitions, name))

    def edge(self, now: str, then: str) -> Any:
        """Whether an edge of the clock leads from one moment to another."""
        self._parse(_of_moments(self._edge, now, then))
        return self.term(_at(f"{self.module}_t", now, then))

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
