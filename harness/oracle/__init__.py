"""The oracle: the vendor's own C++ headers, compiled and called in-process."""

from harness.oracle.build import find_compiler
from harness.oracle.errors import (
    CompileError,
    HeaderRefuses,
    HeadersError,
    OracleCrash,
    OracleError,
)
from harness.oracle.headers import find_headers
from harness.oracle.oracle import Oracle

__all__ = [
    "CompileError",
    "HeaderRefuses",
    "HeadersError",
    "Oracle",
    "OracleCrash",
    "OracleError",
    "find_compiler",
    "find_headers",
]
