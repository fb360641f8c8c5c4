"""What can go wrong between a function of the user's and its answer; each message is one line."""

from __future__ import annotations

from harness.oracle.errors import CompileError, OracleError

__all__ = ["CompileError", "CosimError", "RunError", "SignatureError"]


class CosimError(OracleError):
    """A function cannot be asked, or gave no answer."""


class SignatureError(CosimError):
    """A function that is not there, arguments that we cannot carry, or that do not fit."""


class RunError(CosimError):
    """A call that ended otherwise than by returning.

    Attributes:
        call: which call of the batch it was, from 0; ``None`` if that is not known.
        where: ``file:line`` in the user's sources, if it is known.
        printed: the end of what the program had printed.
    """

    def __init__(
        self, message: str, call: int | None = None, where: str | None = None, printed: str = ""
    ) -> None:
        super().__init__(message)
        self.call = call
        self.where = where
        self.printed = printed
