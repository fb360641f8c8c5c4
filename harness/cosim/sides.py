"""What may be held against what: C++ and RTL functions, Python ones, and files of calls."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.cosim.errors import CosimError, RunError, SignatureError
from harness.cosim.function import Function
from harness.cosim.numbers import values_of_codes
from harness.cosim.signature import Port, Signature, some
from harness.golden.files import write_aside

__all__ = ["Calls", "PythonSide", "Side", "as_side", "read_calls", "write_calls"]

Array = np.ndarray[Any, Any]
#: The version of files of calls.
SCHEMA = 1


class Side:
    """Something that answers batches of codes with one answer a call and output."""

    name: str
    signature: Signature | None

    def answers(self, signature: Signature, batch: Mapping[str, Any], calls: int) -> list[Any]:
        """For each output, in order, what each call gave: codes, or values that have none."""
        raise NotImplementedError

    def reset(self) -> None:
        """Begin a new run of calls."""


@dataclass
class FunctionSide(Side):
    """A function of C++ or RTL."""

    function: Function

    def __post_init__(self) -> None:
        self.name = f"{self.function.source}:{self.function.signature.name}"
        self.signature = self.function.signature

    def answers(self, signature: Signature, batch: Mapping[str, Any], calls: int) -> list[Any]:
        """Codes."""
        names = [p.name for p in signature.inputs]
        own = [p.name for p in self.function.signature.inputs]
        renamed = {o: batch[n] for o, n in zip(own, names, strict=True)}
        if not own:
            found = [self.function.codes() for _ in range(calls)]
            many = len(self.function.signature.outputs) > 1
            return [[f[k] for f in found] if many else found for k in range(len(signature.outputs))]
        out = self.function.codes.batch(**renamed)
        return list(out) if len(self.function.signature.outputs) > 1 else [out]

    def reset(self) -> None:
        """Static state is new."""
        self.function.reset()


@dataclass
class PythonSide(Side):
    """A Python callable: it takes values as the C++ function does, and returns them.

    A call at a time, in the shapes of the signature; a ``batch`` attribute is called with a leading
    axis instead.  ``reset`` is called where a run of a stateful function begins.
    """

    function: Callable[..., Any]
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or getattr(self.function, "__name__", type(self.function).__name__)
        self.signature = None

    def reset(self) -> None:
        """Call ``reset`` if there is one."""
        begin = getattr(self.function, "reset", None)
        if begin is not None:
            begin()

    def answers(self, signature: Signature, batch: Mapping[str, Any], calls: int) -> list[Any]:
        """Values."""
        values = [_decoded(p, batch[p.name]) for p in signature.inputs]
        many = getattr(self.function, "batch", None)
        if many is not None:
            return self._outputs(signature, many(*values))
        found: list[list[Any]] = [[] for _ in signature.outputs]
        for k in range(calls):
            try:
                one = self.function(*(_call(v, k) for v in values))
            except Exception as error:
                text = " ".join(str(error).split())
                what = f"{self.name} raises {type(error).__name__}: {text}"
                raise RunError(what, call=k) from error
            for kept, output in zip(found, self._outputs(signature, one), strict=True):
                kept.append(output)
        return found

    def _outputs(self, signature: Signature, found: Any) -> list[Any]:
        names = [p.name for p in signature.outputs]
        if len(names) == 1 and not (isinstance(found, Mapping) and set(found) == set(names)):
            return [found]
        if isinstance(found, Mapping):
            if set(found) != set(names):
                raise SignatureError(
                    f"{self.name} returns {', '.join(map(str, found))}; wanted: {', '.join(names)}"
                )
            return [found[n] for n in names]
        if not isinstance(found, tuple | list) or len(found) != len(names):
            got = f"{len(found)} values" if isinstance(found, tuple | list) else "one value"
            raise SignatureError(
                f"{self.name} returns {got}; wanted a tuple of {len(names)}: {', '.join(names)}"
            )
        return list(found)


@dataclass(frozen=True)
class Calls:
    """Calls that were recorded: a file that other tools can replay.

    Attributes:
        signature: of the function that answered.
        name: of it.
        inputs: codes of each argument with a leading axis of calls; dicts of them for structs.
        outputs: what came out, likewise.
    """

    signature: Signature
    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def count(self) -> int:
        """How many calls."""
        return len(some({**self.inputs, **self.outputs}))


def write_calls(path: Path, calls: Calls) -> None:
    """Write calls as JSON, whole or not at all; codes are integers."""
    document = {
        "schema": SCHEMA,
        "what": "calls of a function: codes in, codes out",
        "name": calls.name,
        "signature": calls.signature.facts(),
        "inputs": {k: _listed(v) for k, v in calls.inputs.items()},
        "outputs": {k: _listed(v) for k, v in calls.outputs.items()},
    }
    write_aside(path, json.dumps(document) + "\n")


def read_calls(path: Path) -> Calls:
    """Read a file of :func:`write_calls`.

    Raises:
        CosimError: if it is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise CosimError(f"{path} has schema {document['schema']}; this reads {SCHEMA}")
        signature = Signature.from_facts(document["signature"])
        parts = [
            {p.name: _array(p, document[side][p.name]) for p in ports}
            for side, ports in (("inputs", signature.inputs), ("outputs", signature.outputs))
        ]
        return Calls(signature, document["name"], *parts)
    except OSError as error:
        raise CosimError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise CosimError(f"{path} is no file of calls ({why}); harness cosim --record") from None


@dataclass
class FileSide(Side):
    """Recorded calls: only their own inputs are answered."""

    calls: Calls
    name: str = ""

    def __post_init__(self) -> None:
        self.signature = self.calls.signature

    def answers(self, *_: Any) -> list[Any]:
        """The recorded codes."""
        return [_record(p, self.calls.outputs[p.name]) for p in self.calls.signature.outputs]


def _record(port: Port, codes: Any) -> Any:
    """A struct's codes as functions give them."""
    if port.type is not None:
        return codes
    return port.record(*(_record(f, codes[f.name]) for f in port.fields))


def as_side(given: Any) -> Side:
    """Anything that can be held against something.

    Raises:
        SignatureError: for anything else.
    """
    if isinstance(given, Side):
        return given
    if isinstance(given, Function):
        return FunctionSide(given)
    if isinstance(given, Calls):
        return FileSide(given, f"calls of {given.name}")
    if isinstance(given, str | os.PathLike):
        return FileSide(read_calls(Path(given)), Path(given).name)
    if callable(given):
        return PythonSide(given)
    raise SignatureError(
        f"cannot compare {given!r}; allowed: cpp(...), rtl(...), a callable, a file of calls"
    )


def _decoded(port: Port, codes: Any) -> Any:
    """Values of what goes in, with a leading axis of calls."""
    if port.type is None:
        fields = [_decoded(f, codes[f.name]) for f in port.fields]
        return port.record(*fields)
    return values_of_codes(codes, port.type)


def _call(values: Any, k: int) -> Any:
    if hasattr(values, "_fields"):
        return type(values)(*(_call(v, k) for v in values))
    return values[k]


def _listed(codes: Any) -> Any:
    if isinstance(codes, Mapping):
        return {k: _listed(v) for k, v in codes.items()}
    if hasattr(codes, "_asdict"):
        return _listed(codes._asdict())
    if isinstance(codes, list):
        return [_listed(c) for c in codes]
    return codes.tolist()


def _array(port: Port, listed: Any) -> Any:
    if port.type is None:
        return {f.name: _array(f, listed[f.name]) for f in port.fields}
    if port.stream and len({len(one) for one in listed}) > 1:
        return [_array(replace(port, stream=False), one) for one in listed]
    dtype = object if port.type.width > 64 else np.int64
    return np.array(listed, dtype)
