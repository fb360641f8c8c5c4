"""Mutants of the SystemVerilog and the VHDL: one token each, found by pattern outside comments."""

from __future__ import annotations

import re
from collections import Counter

from scripts.mutants.edits import Mutant, named

__all__ = ["hdl_mutants_of"]

Rule = tuple[str, str, str]
#: Operator, pattern of the token, replacement.
SYSTEMVERILOG: tuple[Rule, ...] = (
    ("boolean", r"&&", "||"),
    ("boolean", r"\|\|", "&&"),
    ("comparison", r"==", "!="),
    ("comparison", r"!=", "=="),
    ("comparison", r"(?<= )<=(?= )", "<"),
    ("comparison", r"(?<= )>(?= )", ">="),
    ("comparison", r"(?<= )>=(?= )", ">"),
    ("operator", r"(?<= )<<(?= )", ">>"),
    ("operator", r">>>", ">>"),
    ("operator", r"(?<=[\w)]) ?\+ ?(?=\w|\{)", " - "),
    ("operator", r"(?<=[\w)]) ?-(?!:) ?(?=\w)", " + "),
    ("operator", r"\^", "|"),
    ("operator", r"(?<= )&(?= )", "|"),
    ("operator", r"(?<= )\|(?= )", "&"),
    ("reduction", r"\|(?=cut|\()", "&"),
    ("sign", r"~(?=\w)", ""),
    ("sign", r"!(?=\w)", ""),
    ("sign", r"(?<= )-(?=[A-Z])", ""),
    ("constant", r"(?<![\w'])\d+(?![\w'])", "+1"),
    ("constant", r"1'b[01]", "flip"),
)
VHDL: tuple[Rule, ...] = (
    ("boolean", r"(?<= )and(?= )", "or"),
    ("boolean", r"(?<=[ (])or(?= )", "and"),
    ("operator", r"(?<= )xor(?= )", "or"),
    ("operator", r"(?<= )xnor(?= )", "xor"),
    ("comparison", r"(?<= )/=(?= )", "="),
    ("comparison", r"(?<![:/<>])=(?=[ ])(?!>)", "/="),
    ("comparison", r"(?<= )>(?= )", ">="),
    ("operator", r"(?<=\S) \+ (?=\S)", " - "),
    ("operator", r"(?<=\S) - (?=\S)", " + "),
    ("sign", r"(?<=[ (])not (?=[\w(])", ""),
    ("sign", r"(?<=\()-(?=[A-Z])", ""),
    ("function", r"minimum(?=\()", "maximum"),
    ("function", r"maximum(?=\()", "minimum"),
    ("function", r"shift_left", "shift_right"),
    ("function", r"shift_right", "shift_left"),
    ("constant", r"'[01]'", "flip"),
    ("constant", r"(?<![\w'.])\d+(?![\w'.])", "+1"),
)
#: What every instance overrides, and what is no arithmetic.
SKIPPED = re.compile(
    r"parameter int|^\s+\w+\s+: (positive|integer|natural)\s+:= -?\d|^\s*(use|library) "
)


def hdl_mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of the text.

    What stands for the function is the line: the designs are one module, of many statements.
    """
    vhdl = path.endswith(".vhd")
    comment = "--" if vhdl else "//"
    found, start = [], 0
    seen: Counter[str] = Counter()
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        seen[line] += 1
        code = "" if SKIPPED.search(line) else line.split(comment, 1)[0]
        for operator, pattern, after in VHDL if vhdl else SYSTEMVERILOG:
            for place in re.finditer(pattern, code):
                begin, text = start + place.start(), place[0]
                edit = _replaced(text, after)
                scope = f"<line> {seen[line]}"
                key = named(path, scope, line, operator, place.start(), edit)
                column = place.start() + 1
                found.append(Mutant(path, scope, number, column, operator, text, edit, begin, key))
        start += len(line)
    return found


def _replaced(text: str, after: str) -> str:
    if after == "+1":
        return str(int(text) + 1)
    if after == "flip":
        return (
            text.translate(str.maketrans("01", "10"))
            if "'b" not in text
            else ("1'b0" if text.endswith("1") else "1'b1")
        )
    return after
