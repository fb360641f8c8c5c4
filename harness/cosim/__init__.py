"""Your own C++ beside your own Python: called, and held against each other, bit for bit.

from harness.cosim import cpp, assert_same
"""

from harness.cosim.errors import CompileError, CosimError, RunError, SignatureError
from harness.cosim.function import Function, cpp
from harness.cosim.signature import Port, Signature

__all__ = [
    "CompileError",
    "CosimError",
    "Function",
    "Port",
    "RunError",
    "Signature",
    "SignatureError",
    "cpp",
]
