"""What can go wrong between a question and the C++ answer."""

__all__ = ["CompileError", "HeaderRefuses", "HeadersError", "OracleCrash", "OracleError"]


class OracleError(RuntimeError):
    """The oracle has no answer; the message says why, in one line."""


class HeadersError(OracleError):
    """The vendor's headers are missing, incomplete or not the pinned ones."""


class CompileError(OracleError):
    """The C++ compiler is missing, or refused a kernel."""


class HeaderRefuses(OracleError):
    """The headers would end the process; the question was not asked."""


class OracleCrash(OracleError):
    """A kernel ended its worker process; this process goes on."""
