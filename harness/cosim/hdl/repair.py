"""What GHDL's synthesis writes wrongly as Verilog, written rightly.

GHDL 2 writes an arithmetic shift to the right as a logical one, and divides signed numbers as
unsigned ones, without a word; ``abs``, ``minimum`` and ``maximum`` of signed numbers it writes as
VHDL.  Version 5 still has some of these (ghdl issues 2750, 2751 and 3054).  Each is known by its
form, so what a version writes rightly is left as it is.
"""

from __future__ import annotations

import re

__all__ = ["repaired"]

_A = r"(\S+)"
_REPAIRS = tuple(
    (re.compile(pattern, re.M), right)
    for pattern, right in (
        (r"= (\$signed\([^()]*\)) >> ", r"= \1 >>> "),
        (rf"= {_A} / {_A}; // sdiv$", r"= $signed(\1) / $signed(\2);"),
        (rf"= {_A} % {_A}; // srem$", r"= $signed(\1) % $signed(\2);"),
        # The sign of VHDL's mod is that of the divisor, the sign of % that of the dividend.
        (
            rf"= {_A} % {_A}; // smod$",
            r"= $signed(\1) % $signed(\2) != 0 && ($signed(\1) < 0) != ($signed(\2) < 0)"
            r" ? $signed(\1) % $signed(\2) + $signed(\2) : $signed(\1) % $signed(\2);",
        ),
        (
            rf"^( *){_A} <= std_logic_vector\(abs \$signed\(([^()]*)\)\);$",
            r"\1assign \2 = $signed(\3) < 0 ? -\3 : \3;",
        ),
        (rf"^( *){_A} <= {_A} when (\$signed\(.*\)) else {_A};$", r"\1assign \2 = \4 ? \3 : \5;"),
    )
)


def repaired(text: str) -> str:
    """The Verilog of GHDL's synthesis, with what it means."""
    for pattern, right in _REPAIRS:
        text = pattern.sub(right, text)
    return text
