"""What GHDL's synthesis writes wrongly as Verilog, written rightly.

GHDL 2 writes an arithmetic shift to the right as a logical one, divides signed numbers as unsigned
ones, and leaves ``when others`` out of a case, all without a word; ``abs``, ``minimum`` and
``maximum`` of signed numbers it writes as VHDL.  Later versions still have some of these (ghdl
issues 2041, 2750, 2751, 2753 and 3054).  Each is known by its form, so what a version writes
rightly is left as it is.
"""

from __future__ import annotations

import re

from harness.ghdl.errors import GhdlError

__all__ = ["lacks_others", "repaired", "with_others"]

_A = r"(\S+)"
_REPAIRS = tuple(
    (re.compile(pattern, re.M), right)
    for pattern, right in (
        (r"= (\$signed\([^()]*\)) >> ", r"= \1 >>> "),
        (rf"= {_A} \* {_A}; // smul$", r"= $signed(\1) * $signed(\2);"),
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
#: A case without a default, in Verilog, and a selection in VHDL; the last group is what is chosen.
_CASE = re.compile(r"^( *)case \(\S+\)\n(?: *\S+'b[01]+: (\S+) <=? .*;\n)+(?= *endcase$)", re.M)
_SELECTION = re.compile(r"^ *with \S+ select (\S+) <=\n(?:.*,\n)+ *(.*) when others;$", re.M)
_LITERAL = re.compile(r"""["']([01XZUWLH-]+)["']$""")


def repaired(text: str) -> str:
    """The Verilog of GHDL's synthesis, with what it means."""
    for pattern, right in _REPAIRS:
        text = pattern.sub(right, text)
    return text


def lacks_others(text: str) -> bool:
    """Whether a case of the Verilog has no default, so that VHDL has to say what it is."""
    return bool(_CASE.search(text))


def with_others(text: str, vhdl: str) -> str:
    """The Verilog with the defaults that the same netlist has as VHDL.

    Raises:
        GhdlError: if VHDL does not say.
    """
    others = dict(_SELECTION.findall(vhdl))

    def added(case: re.Match[str]) -> str:
        name = case[2]
        value = others.get(name, "")
        if literal := _LITERAL.match(value):
            bits = re.sub("[^01]", "x", literal[1])
            value = f"{len(bits)}'b{bits}"
        elif not re.fullmatch(r"\w+", value):
            raise GhdlError(f"GHDL does not say what {name} is in the others of a case")
        return f"{case[0]}{case[1]}  default: {name} <= {value};\n"

    return _CASE.sub(added, text)
