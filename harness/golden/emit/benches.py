"""What the testbenches in ``golden/rtl`` read: memory files and the table of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.golden.emit.layout import Files
from harness.golden.emit.memories import MEM
from harness.golden.record import Group
from harness.types import ApFixed, ApInt

__all__ = ["RTL"]

#: Q of a cast into an ap_[u]int, which is no mode of an ap_fixed.
INTEGER = 9
#: The fields of a group in the table, in order.
FIELDS = "COUNT, SRC_W, SRC_I, SRC_S, W, I, S, Q, O, N"


def _write(group: Group, stem: str) -> Files:
    _row(group)
    return MEM.write(group, stem)


def _row(group: Group) -> list[int]:
    """The fields of a group; ``ValueError`` if ``ap_quantize`` does not do what it is about."""
    a, t = group.columns.get("a"), group.target
    if group.operation != "cast" or not isinstance(a, ApFixed) or not isinstance(t, ApFixed):
        types = ", ".join(map(str, group.columns.values()))
        raise ValueError(
            f"rtl replays casts between fixed-point types, not {group.operation} of {types}"
        )
    source = [a.width, a.integer, int(a.signed)]
    rounding = INTEGER if isinstance(t, ApInt) else int(t.rounding)
    target = [t.width, t.integer, int(t.signed), rounding, int(t.overflow), t.n]
    return [len(group.cases), *source, *target]


def _extras(groups: Sequence[Group]) -> Files:
    rows = [_row(group) for group in groups]
    total = sum(row[0] for row in rows)
    return {
        "ap_quantize_groups.sv": _systemverilog(rows, total).encode(),
        "ap_quantize_groups.vhd": _vhdl(rows, total).encode(),
    }


def _systemverilog(rows: list[list[int]], total: int) -> str:
    # Concatenations have the last field of the last group first.
    lines = [", ".join(f"32'h{v & 0xFFFFFFFF:08x}" for v in reversed(row)) for row in rows]
    body = ",\n    ".join(reversed(lines))
    return f"""\
// A group a line, the last group and its last field first: {FIELDS}.
package ap_quantize_groups;
  localparam int GROUPS = {len(rows)};
  localparam int VECTORS = {total};
  localparam [{320 * len(rows) - 1}:0] TABLE = {{
    {body}
  }};
endpackage
"""


def _vhdl(rows: list[list[int]], total: int) -> str:
    lines = [f"    {k} => ({', '.join(map(str, row))})" for k, row in enumerate(rows)]
    body = ",\n".join(lines)
    return f"""\
-- A group a line: {FIELDS}.
package ap_quantize_groups is
  constant GROUPS : natural := {len(rows)};
  constant VECTORS : natural := {total};
  type fields is array (0 to 9) of integer;
  type rows is array (0 to GROUPS - 1) of fields;
  constant TABLE : rows := (
{body}
  );
end package;
"""


RTL = replace(MEM, about="what golden/rtl replays: .mem and a table", write=_write, extras=_extras)
