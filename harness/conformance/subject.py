"""Who is asked: a library's own function behind one of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.quantize.plan import FLOATS, float_misfit
from harness.verify.subjects import load_function

__all__ = ["Adapter", "Subject", "Unsupported", "floats", "need"]

#: A function from inputs and a type to values (floats) or codes (integers), in the inputs' shape.
#: Inputs are float32 or float64 arrays, or a :class:`~harness.fixed.Fixed`.
Adapter = Callable[[Any, Any], Any]


class Unsupported(ValueError):
    """The library has no such type, no such mode or no such way in: that is no difference."""


@dataclass(frozen=True)
class Subject:
    """A library, or a function of the user's own.

    Attributes:
        name: what the tables call it.
        distribution: whose version is reported, and what ``pip install`` takes.
        call: the library's function that answers.
        promise: what its documents say of such conversions.
        source: the module of its adapter, which imports the library and has ``quantize``;
            package.module:function of the user's own; or the adapter itself.
        remarks: why it answers otherwise where it does, and what its documents say of that.
    """

    name: str
    distribution: str
    call: str
    promise: str
    source: str | Adapter
    remarks: tuple[str, ...] = ()

    def load(self) -> Adapter:
        """The adapter.

        Raises:
            ImportError: if the library is not installed.
            SubjectError: if there is no such function.
        """
        if not isinstance(self.source, str):
            return self.source
        if ":" in self.source:
            return load_function(self.source)
        adapter: Adapter = import_module(f"harness.conformance.adapters.{self.source}").quantize
        return adapter


def need(offered: Any, why: str) -> None:
    """Say that the library does not offer what is asked.

    Raises:
        Unsupported: if ``offered`` is false.
    """
    if not offered:
        raise Unsupported(why)


def floats(x: Any, t: Any, dtype: str = "float64") -> Any:
    """The inputs as an array of ``dtype``, for a library that computes in it.

    Raises:
        Unsupported: if the inputs are not floats of at most that dtype, or it does not hold ``t``.
    """
    need(not isinstance(x, Fixed), "takes floats, not codes of another type")
    need(x.dtype.itemsize <= np.dtype(dtype).itemsize, f"computes in {dtype}")
    need(
        float_misfit(t, FLOATS[dtype]) is None, f"computes in {dtype}, which does not hold the type"
    )
    return x.astype(dtype)
