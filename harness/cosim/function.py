"""A function that may be called: of C++, or of RTL, with the same face."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.cosim.cxx.build import Program, Source, built
from harness.cosim.errors import SignatureError
from harness.cosim.given import Macros, Names, files_of, folder_of, folders_of, macros_of
from harness.cosim.process import Runner
from harness.cosim.seen import Lost
from harness.cosim.signature import Port, Signature, some
from harness.types import parse_type

__all__ = ["Codes", "Function", "cpp"]

Array = np.ndarray[Any, Any]
#: Memory for the rows of one run; more calls are made in several.
ROOM = 64 << 20
#: Values that a stream which comes out has room for, beside those that went in.
SPARE = 256


class Function:
    """Something with a signature that gives codes for codes.

    ``f(x)`` is one call: values in the shapes of the signature in, values out, several as a
    namedtuple.  ``f.batch(x)`` has a leading axis of calls, made in that order.  ``f.codes(c)`` and
    ``f.codes.batch(c)`` take and give codes instead.  Values are exact: a number that a type has
    not is refused.  ``static`` state lives on from call to call; ``f.reset()`` begins again.

    Attributes:
        signature: what it takes and gives.
        source: where it came from, for messages.
        codes: the same face for codes.
        program: of C++, what was compiled; ``None`` of RTL.
    """

    def __init__(
        self, signature: Signature, source: str, runner: Any, program: Program | None = None
    ) -> None:
        self.signature = signature
        self.source = source
        self.program = program
        self.codes = Codes(self)
        self._runner = runner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One call.

        Raises:
            SignatureError: if the arguments are not those of the signature, or not exact.
            RunError: if the function did not return.
        """
        return self._single(args, kwargs, coded=False)

    def batch(self, *args: Any, **kwargs: Any) -> Any:
        """Many calls, one after the other, along a leading axis.  Raises as a call does."""
        return self._many(args, kwargs, coded=False)

    def reset(self) -> None:
        """Begin again: static state is what it was before the first call."""
        self._runner.reset()

    def counts(self) -> list[Lost]:
        """What the assignments of the source lost since the last time, where most was lost first.

        Only a function made with ``count=True`` has any.
        """
        by_place: dict[tuple[str, str], list[int]] = {}
        for place, text, counted in self._runner.counts():
            own = by_place.setdefault((place, str(parse_type(text))), [0] * len(counted))
            own[:] = map(sum, zip(own, counted, strict=True))
        found = [Lost(*key, *counted) for key, counted in by_place.items()]
        return sorted(found, key=lambda lost: (-lost.overflowed, -lost.rounded, lost.place))

    def close(self) -> None:
        """End the process behind it; the next call starts another."""
        self._runner.close()

    @property
    def printed(self) -> str:
        """What the function printed in the last batch of calls, the end of it."""
        return str(self._runner.printed)

    def __repr__(self) -> str:
        return f"{self.source}: {self.signature}"

    def _single(self, args: Sequence[Any], kwargs: Mapping[str, Any], *, coded: bool) -> Any:
        given = self.signature.bound(args, kwargs)
        codes = {
            p.name: _leading(p.codes(given[p.name], rows=False, coded=coded))
            for p in self.signature.inputs
        }
        found = [_first(f) for f in self._taken(codes, 1, coded)]
        return self.signature.result(found)

    def _many(self, args: Sequence[Any], kwargs: Mapping[str, Any], *, coded: bool) -> Any:
        given = self.signature.bound(args, kwargs)
        codes = {
            p.name: p.codes(given[p.name], rows=True, coded=coded) for p in self.signature.inputs
        }
        counts = {name: len(some(c)) for name, c in codes.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} {n}" for name, n in counts.items())
            raise SignatureError(f"the inputs of a batch have different numbers of calls: {said}")
        if not counts:
            raise SignatureError(f"{self.signature.name} takes nothing: call it, without batch")
        return self.signature.result(self._taken(codes, next(iter(counts.values())), coded))

    def _taken(self, codes: Mapping[str, Any], calls: int, coded: bool) -> list[Any]:
        """Outputs with a leading axis of calls."""
        ports = self.signature.ports
        rooms = {p.name: self._capacity(p, codes) for p in ports if p.stream}
        row_in, row_out = (
            np.dtype([(p.name, p.dtype(rooms.get(p.name, 0))) for p in chosen])
            for chosen in (self.signature.inputs, self.signature.outputs)
        )
        places = {k: rooms[p.name] for k, p in enumerate(ports) if p.stream}
        at_once = max(1, ROOM // max(1, row_in.itemsize + row_out.itemsize))
        pieces = []
        for start in range(0, max(calls, 1), at_once):
            stop = min(calls, start + at_once)
            piece = {name: _sliced(c, start, stop) for name, c in codes.items()}
            pieces.append(self._run(piece, stop - start, (row_in, row_out), places, coded))
        return pieces[0] if len(pieces) == 1 else [_joined(p) for p in zip(*pieces, strict=True)]

    def _run(
        self,
        codes: Mapping[str, Any],
        calls: int,
        rows: tuple[Any, Any],
        places: dict[int, int],
        coded: bool,
    ) -> list[Any]:
        row_in, row_out = rows

        def fill(memory: memoryview) -> None:
            block = np.frombuffer(memory, row_in, calls) if row_in.itemsize else None
            for p in self.signature.inputs:
                assert block is not None
                p.fill(block[p.name], codes[p.name])

        def take(memory: memoryview) -> list[Any]:
            block = np.frombuffer(memory, row_out, calls)
            return [p.taken(block[p.name], coded=coded) for p in self.signature.outputs]

        sizes = (row_in.itemsize * calls, row_out.itemsize * calls)
        return list(self._runner.run(calls, *sizes, places, fill, take))

    def _capacity(self, port: Port, codes: Mapping[str, Any]) -> int:
        own = some(codes[port.name]).shape[1] if port.goes_in else 0
        if not port.comes_out:
            return own
        given = [some(codes[p.name]).shape[1] for p in self.signature.inputs if p.stream]
        return port.length or max(own, SPARE + 2 * sum(given))


class Codes:
    """The face of a :class:`Function` that takes and gives codes."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One call; raises as the function does."""
        return self._function._single(args, kwargs, coded=True)

    def batch(self, *args: Any, **kwargs: Any) -> Any:
        """Many calls along a leading axis."""
        return self._function._many(args, kwargs, coded=True)


def cpp(
    source: Names,
    top: str,
    *,
    include: Sequence[str | os.PathLike[str]] = (),
    defines: Macros = (),
    flags: Sequence[str] = (),
    std: str = "c++17",
    headers: str | os.PathLike[str] | None = None,
    sanitize: bool = False,
    count: bool = False,
    seconds: float = 60.0,
    sizes: Mapping[str, int] | None = None,
    directions: Mapping[str, str] | None = None,
    say: Callable[[str], object] | None = None,
) -> Function:
    """A C++ function over ``ap_fixed`` and its kin, compiled, that is called like a Python one.

    Args:
        source: the file that has it (a ``.cpp`` or a header), or several with that one first.
        top: its name, with namespace and template arguments: ``dsp::fir<8>``; one of several of a
            name is told by its parameters: ``fir(data_t *, int)``.
        include: folders of headers; those of the sources are searched already.
        defines: macros: ``["N=8"]`` or ``{"N": 8}``.
        flags: more options of the compiler.
        std: the C++ standard.
        headers: a folder with other vendor headers than the pinned ones.
        sanitize: end a call that reads or writes out of bounds, or divides by zero; slower.
        count: count what assignments to ``ap_fixed`` and ``ap_int`` lose; see ``f.counts()``.
        seconds: that a batch of calls may take.
        sizes: how many values are behind a pointer that C++ gives no length, and how many a call
            reads from a stream when inputs are drawn, or may write into one.
        directions: ``in``, ``out`` or ``inout`` for arguments where reading the source tells wrong.
        say: told what takes long, a line each.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if the function is not there, or takes what we cannot carry.
        CosimError: if libclang or a file is missing.
    """
    asked = Source(
        files_of(source, "cpp()"),
        top.strip(),
        folders_of(include),
        macros_of(defines),
        tuple(flags),
        std,
        None if headers is None else folder_of(headers),
        sanitize,
        count,
        dict(sizes or {}),
        dict(directions or {}),
    )
    program = built(asked, say)
    runner = Runner(program.path, seconds, program.files, program.signature.name, count)
    return Function(program.signature, asked.files[0].name, runner, program)


def _leading(codes: Any) -> Any:
    """One call's codes as a batch of one."""
    if isinstance(codes, dict):
        return {name: _leading(c) for name, c in codes.items()}
    return np.asarray(codes)[np.newaxis]


def _first(found: Any) -> Any:
    """The first call's outputs; numbers as NumPy's own."""
    if hasattr(found, "_fields"):
        return type(found)(*map(_first, found))
    return found[0]


def _sliced(codes: Any, start: int, stop: int) -> Any:
    if isinstance(codes, dict):
        return {name: _sliced(c, start, stop) for name, c in codes.items()}
    return codes[start:stop]


def _joined(pieces: Sequence[Any]) -> Any:
    if hasattr(pieces[0], "_fields"):
        return type(pieces[0])(*(_joined(p) for p in zip(*pieces, strict=True)))
    if any(isinstance(p, list) for p in pieces):
        return [call for piece in pieces for call in piece]
    if len({p.shape[1:] for p in pieces}) > 1:
        return [call for piece in pieces for call in piece]
    return np.concatenate(pieces)
