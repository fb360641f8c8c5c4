"""Compile a project with its own headers, and run it in a worker process."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.project.built import shared_object
from harness.hls.project.description import Description
from harness.hls.project.source import BrokenProject
from harness.hls.project.top import Call, Variable
from harness.oracle import OracleCrash
from harness.oracle.headers import find_headers, kernel_directory
from harness.oracle.words import word_count
from harness.oracle.worker import Worker

__all__ = ["Compiled", "glue", "instrumented"]

Told = Mapping[Call, tuple[Variable, ...]]
#: Rows that are sent to the worker at a time.
ROWS = 512
#: Words before those of the rows: the row of the first complaint, counted from 1, and its text.
COMPLAINT = 32


class Compiled:
    """The top function of a project, compiled, or found compiled before.

    The project itself is not touched.

    Args:
        project: the project.
        told: compile a copy that tells what each of its kernels wrote: the arrays and streams of
            every call, with their sizes.

    Raises:
        CompileError: with the compiler's first complaint.
    """

    def __init__(self, project: Description, told: Told | None = None) -> None:
        self.project = project
        self._folder = Path(tempfile.mkdtemp(prefix="hls-harness-project-"))
        self._worker = Worker()
        self._end = weakref.finalize(self, shutil.rmtree, self._folder, True)
        firmware = project.directory / "firmware"
        top = firmware / f"{project.name}.cpp"
        written: Sequence[Variable] = project.outputs
        if told is not None:
            top = self._folder / top.name
            top.write_text(instrumented(project, told), encoding="utf-8")
            written = [v for each in told.values() for v in each]
        self.written = [(v.name, project.type(v), v.shape) for v in written]
        source = self._folder / "glue.cpp"
        source.write_text(glue(project, top, traced=told is not None), encoding="utf-8")
        own = firmware / "ap_types"
        headers = own if (own / "ap_fixed.h").is_file() else find_headers().directory
        folders = (headers, kernel_directory(), firmware)
        weights = str(firmware / "weights").replace("\\", "\\\\").replace('"', '\\"')
        options = [*(f"-I{folder}" for folder in folders), f'-DWEIGHTS_DIR="{weights}"']
        try:
            self._built = shared_object(options, source, folders, str(project.top.file))
        except BaseException:
            self.close()
            raise

    def run(self, inputs: Sequence[Fixed]) -> dict[str, Fixed]:
        """The arrays that are told of, by name, (rows, *sizes) each.

        Raises:
            OracleCrash: if the project's code ends its process; names the first row that does.
            BrokenProject: if it reads a stream that is empty, or leaves something in one.
        """
        rows = len(inputs[0])
        sizes = [math.prod(x.shape[1:]) * word_count(x.type) for x in inputs]
        words = [x.words.reshape(rows, n) for x, n in zip(inputs, sizes, strict=True)]
        flat = np.concatenate(words, axis=1)
        parts = [self._part(flat[k : k + ROWS], k) for k in range(0, rows, ROWS)]
        out = np.concatenate([*parts, np.empty((0, self._width), np.int64)])
        found, start = {}, 0
        for name, t, shape in self.written:
            end = start + math.prod(shape) * word_count(t)
            found[name] = Fixed.of_words(out[:, start:end], t, (rows, *shape))
            start = end
        return found

    def close(self) -> None:
        """End the worker, and remove what was compiled."""
        self._worker.close()
        self._end()

    @property
    def _width(self) -> int:
        """The words of a row."""
        return sum(math.prod(shape) * word_count(t) for _, t, shape in self.written)

    def _part(self, rows: Array, first: int) -> Array:
        try:
            out = self._call(rows)
        except RuntimeError as error:
            hung = str(error).startswith("SIGKILL")  # then its rows would hang again
            place = f"in a row from {first} on" if hung else self._crashing(rows, first)
            raise OracleCrash(f"{self.project.name}() ended its process {place}: {error}") from None
        complaint, words = out[:COMPLAINT], out[COMPLAINT:]
        if row := int(complaint[0]):
            text = complaint[1:].tobytes().rstrip(b"\0").decode(errors="replace")
            raise BrokenProject(f"{self.project.name}(), row {first + row - 1}: {text}")
        return words.reshape(len(rows), self._width)

    def _call(self, rows: Array) -> Array:
        """What the worker answers to some rows; ``RuntimeError`` if the process ends."""
        size = (COMPLAINT + len(rows) * self._width) * 8
        words = np.ascontiguousarray(rows, np.int64).tobytes()
        out = self._worker.call(str(self._built), 0, words, b"", size, len(rows))
        return np.frombuffer(out, np.int64)

    def _crashing(self, rows: Array, first: int) -> str:
        """Where a batch ends the process: the first row that does by itself."""
        for k in range(len(rows)):
            try:
                self._call(rows[k : k + 1])
            except RuntimeError:
                return f"in row {first + k}"
        return f"in rows {first} to {first + len(rows) - 1}, but in none of them alone"


def glue(project: Description, top: Path, *, traced: bool) -> str:
    """The translation unit: the project's source, and a table of one kernel."""
    space = f"{project.top.namespace}::" if project.top.namespace else ""
    ports, names = "", ""
    for v in project.top.ports:
        way = "input" if v in project.inputs else "output"
        of = f"{space}{v.type_name}, {math.prod(v.shape)}"
        if v.stream:
            of += f", harness_ports::{v.name}"
            names += f'constexpr char {v.name}[] = "{v.name}";\n'
        ports += f", harness::project::{way}<{of}>"
    name = "trace" if traced else "run"
    called, wrapper = f"{space}{project.name}", ""
    if project.top.external:  # weights that are arguments: the arrays that hls4ml's bridge includes
        called = "harness_top"
        arrays = ", ".join(f"{space}{v.type_name}* {v.name}" for v in project.top.ports)
        weights = [v.name for v in project.top.external]
        given = [v.name for v in project.top.ports] + [f"::{space}{w}" for w in weights]
        wrapper = "".join(f'#include "weights/{w}.h"\n' for w in weights)
        wrapper += f"void {called}({arrays}) {{ {space}{project.name}({', '.join(given)}); }}\n"
    return (
        '#include "project_kernels.h"\n'
        f'#include "{top}"\n'
        f"namespace harness_ports {{\n{names}}}  // namespace harness_ports\n"
        f"{wrapper}"
        'extern "C" __attribute__((visibility("default")))\n'
        "const harness::kernel harness_table[] = {\n"
        f"    &harness::project::{name}<&{called}{ports}>,\n"
        "};\n"
    )


def instrumented(project: Description, told: Told) -> str:
    """The top function's file, with every kernel's outputs told behind its call."""
    path = project.directory / project.top.file
    text = path.read_text(encoding="utf-8")
    for call, variables in reversed(list(told.items())):
        line = "".join(
            f' harness::project::tell({v.name}, {math.prod(v.shape)}, "{v.name}");'
            for v in variables
        )
        text = text[: call.end] + line + text[call.end :]
    return text
