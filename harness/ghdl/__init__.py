"""GHDL: VHDL synthesised to Verilog that means the same."""

from harness.ghdl.errors import GhdlError, MissingError, NoGhdlError
from harness.ghdl.synthesis import ghdl, synthesised

__all__ = ["GhdlError", "MissingError", "NoGhdlError", "ghdl", "synthesised"]
