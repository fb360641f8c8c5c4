"""Your own C++ beside your own Python: called, and held against each other, bit for bit.

from harness.cosim import cpp, assert_same
"""

from harness.extras import need

need("hypothesis", "harness.cosim", "cosim")

from harness.cosim.errors import CompileError, CosimError, RunError, SignatureError
from harness.cosim.function import Function, cpp
from harness.cosim.hdl.function import RtlFunction, rtl
from harness.cosim.record import Compared, Difference
from harness.cosim.same import assert_same, compare, recorded
from harness.cosim.sides import Calls, read_calls, write_calls
from harness.cosim.signature import Port, Signature

__all__ = [
    "Calls",
    "Compared",
    "CompileError",
    "CosimError",
    "Difference",
    "Function",
    "Port",
    "RtlFunction",
    "RunError",
    "Signature",
    "SignatureError",
    "assert_same",
    "compare",
    "cpp",
    "read_calls",
    "recorded",
    "rtl",
    "write_calls",
]
