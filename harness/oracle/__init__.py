"""The oracle: the vendor's own C++ headers, compiled and called in-process."""

from harness.oracle.errors import (
    CompileError,
    HeaderRefuses,
    HeadersError,
    OracleCrash,
    OracleError,
)
from harness.oracle.oracle import Oracle

__all__ = [
    "CompileError",
    "HeaderRefuses",
    "HeadersError",
    "Oracle",
    "OracleCrash",
    "OracleError",
]
