"""VHDL as GHDL simulates it, beside what GHDL synthesises of it, which is what is proven.

The two are not always one: GHDL 2 takes a part of a constant from its wrong end, for one.  So what
is proven of the synthesis is held against a run of the source itself.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import children
from harness.ghdl import ghdl
from harness.prove.rtl.netlist import Netlist
from harness.prove.rtl.sources import Sources

__all__ = ["simulated"]

#: Types of a bit, and those of many that convert into one another.
BITS = ("std_logic", "std_ulogic")
VECTORS = ("std_logic_vector", "std_ulogic_vector", "signed", "unsigned")
_PORTS = re.compile(r"([\w, ]+): (?:in|out) (\w+)")
BENCH = """
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.textio.all;
entity prove_bench is end entity;
architecture bench of prove_bench is
  {signals}
  signal clock : std_logic := '0';
begin
  dut : entity work.{top} {generics} port map ({ports});
  process
    file given : text open read_mode is "given";
    file found : text open write_mode is "found";
    variable row : line;
    {variables}
  begin
    while not endfile(given) loop
      readline(given, row);
      {reads}
      wait for 1 ns;
      write(row, result);
      writeline(found, row);
      clock <= '1';
      wait for 1 ns;
      clock <= '0';
      wait for 1 ns;
    end loop;
    wait;
  end process;
end architecture;
"""


def simulated(
    sources: Sources, netlist: Netlist, steps: Sequence[Mapping[str, int]], output: str
) -> list[str] | None:
    """What an output is at each step, as text of bits; none if that cannot be told.

    Args:
        sources: in VHDL, with ports of bits and vectors of bits.
        netlist: what was synthesised of it.
        steps: for each, the value of each input but the clock, which has its edges between two.
        output: a port.
    """
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        scratch = Path(folder)

        def run(*command: str) -> str:
            options = ["--std=08", f"--workdir={scratch}"]
            asked = [ghdl(), command[0], *options, *command[1:]]
            done = children.run(asked, scratch, cwd=scratch, timeout=60)
            if done.returncode != 0:
                raise subprocess.CalledProcessError(done.returncode, asked)
            return done.stdout

        try:
            run("-a", *map(str, sources.files))
            generics = [f"-g{name}={value}" for name, value in sources.parameters.items()]
            types = _types(run("--synth", *generics, "--out=vhdl", sources.top.lower()))
            (scratch / "bench.vhd").write_text(_bench(sources, netlist, types, output))
            inputs = _inputs(netlist)
            rows = [
                " ".join(f"{step.get(n, 0):0{w}b}" for n, w in inputs.items()) for step in steps
            ]
            (scratch / "given").write_text("\n".join(rows) + "\n")
            run("-a", "bench.vhd")
            run("--elab-run", "prove_bench", f"--stop-time={3 * len(steps) + 3}ns")
            found = (scratch / "found").read_text().split()
        except (subprocess.SubprocessError, OSError, KeyError):
            return None
    return found if len(found) == len(steps) else None


def _inputs(netlist: Netlist) -> dict[str, int]:
    return {n: w for n, w in netlist.widths("input").items() if n != netlist.clock}


def _row(step: Mapping[str, int], inputs: Mapping[str, int]) -> str:
    return " ".join(f"{step.get(name, 0):0{width}b}" for name, width in inputs.items())


def _types(text: str) -> dict[str, str]:
    """The types of the ports, from the entity as GHDL prints it, by names in lower case."""
    found = {}
    for names, kind in _PORTS.findall(text.partition("\nend")[0].partition("port (")[2]):
        if kind.lower() in (*BITS, *VECTORS):
            found.update({name.strip().lower(): kind.lower() for name in names.split(",")})
    return found


def _bench(sources: Sources, netlist: Netlist, types: Mapping[str, str], output: str) -> str:
    """A bench that reads the steps and writes what comes out; KeyError for other types."""
    ports = [f"{netlist.clock} => clock"] if netlist.clock else []
    signals, variables, reads = [], [], []
    for k, (name, width) in enumerate(_inputs(netlist).items()):
        vector = f"std_logic_vector({width - 1} downto 0)"
        signals.append(f"signal in_{k} : {vector} := (others => '0');")
        variables.append(f"variable value_{k} : {vector};")
        reads.append(f"read(row, value_{k}); in_{k} <= value_{k};")
        kind = types[name.lower()]
        ports.append(f"{name} => " + (f"in_{k}(0)" if kind in BITS else f"{kind}(in_{k})"))
    width = netlist.widths("output")[output]
    signals.append(f"signal result : std_logic_vector({width - 1} downto 0);")
    if types[output.lower()] in BITS:
        ports.append(f"{output} => result(0)")
    else:
        ports.append(f"std_logic_vector({output}) => result")
    values = {n: v if isinstance(v, int) else f'"{v}"' for n, v in sources.parameters.items()}
    generics = ", ".join(f"{name} => {value}" for name, value in values.items())
    return BENCH.format(
        top=sources.top,
        generics=f"generic map ({generics})" if generics else "",
        ports=", ".join(ports),
        signals="\n  ".join(signals),
        variables="\n    ".join(variables),
        reads="\n      ".join(reads),
    )
