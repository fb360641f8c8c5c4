"""RTL as terms: our own ``ap_quantize`` for many types, and a user's own cast.

Yosys reads it, SystemVerilog by itself and VHDL as GHDL synthesises it, and writes what every
output is of the inputs and registers; that is held against the law for all of them.  A proof is of
yosys' reading, as one of Python is of ours: it says nothing of timing, of a sensitivity list that
lacks a signal, or of what a synthesiser does with a bit that may be anything.
"""

from harness.prove.rtl.design import Module, read_rtl
from harness.prove.rtl.golden import cast_claims, golden_rtl
from harness.prove.rtl.user import Ports, RtlProof, prove_rtl, rtl_claim
from harness.prove.rtl.yosys import RtlError

__all__ = [
    "Module",
    "Ports",
    "RtlError",
    "RtlProof",
    "cast_claims",
    "golden_rtl",
    "prove_rtl",
    "read_rtl",
    "rtl_claim",
]
